"""The first minute of the course, as anybody does it in any house."""

from playwright.sync_api import Locator, Page

_CHANGED = "([selector, before]) => document.querySelector(selector).innerHTML !== before"


def commit_and_move_the_slider(page: Page) -> None:
    """In 00_start_here, when it has been run: answer, and move the slider that this opens."""
    page.get_by_role("radio").first.check()
    page.get_by_role("button", name="Commit").first.click()
    move(page.get_by_role("slider", name="slope", exact=True), ".cg-stage")
    assert page.locator(".cg-notice").all_inner_texts() == []


def move(slider: Locator, picture: str) -> None:
    """Drag `slider` to the right, and wait until what `picture` selects is another one."""
    slider.scroll_into_view_if_needed()
    before = slider.page.locator(picture).first.inner_html()
    slider.drag_to(slider, target_position={"x": 60, "y": 5}, force=True)
    slider.page.wait_for_function(_CHANGED, arg=[picture, before])
