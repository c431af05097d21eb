"""The first minute of the course, as anybody does it in any house."""

from playwright.sync_api import Page


def commit_and_move_the_slider(page: Page) -> None:
    """In 00_start_here, when it has been run: answer, and move the slider that this opens."""
    question = page.get_by_role("group", name="This rule says that the gradient left of zero")
    question.get_by_role("radio").first.check()
    question.get_by_role("button", name="Commit").click()
    stage = page.locator(".cg-stage").first
    before = stage.inner_html()
    page.get_by_role("slider", name="slope", exact=True).press("ArrowRight")
    page.wait_for_function(
        "([stage, before]) => stage.innerHTML !== before", arg=[stage.element_handle(), before]
    )
    assert page.locator(".cg-notice").all_inner_texts() == []
