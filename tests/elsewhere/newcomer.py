"""The first minute of the course, as anybody does it in any house."""

from playwright.sync_api import Locator, Page

_CHANGED = "([picture, before]) => picture.innerHTML !== before"


def commit_and_move_the_slider(page: Page) -> None:
    """In 00_start_here, when it has been run: answer, and move the slider that this opens."""
    page.get_by_role("radio").first.check()
    page.get_by_role("button", name="Commit").first.click()
    picture = page.locator(".cg-stage").first
    move(page.get_by_role("slider", name="slope", exact=True), picture)
    assert page.locator(".cg-notice").all_inner_texts() == []


def move(slider: Locator, picture: Locator) -> None:
    """Press a key on `slider`, and wait until `picture` is another one."""
    before = picture.inner_html()
    slider.press("ArrowRight")
    picture.page.wait_for_function(_CHANGED, arg=[picture.element_handle(), before])
