"""One browser for all rooms of tests: Playwright can be started once in a process."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def chromium() -> Iterator:
    """The system's Chromium; whoever needs a window opens a context of their own."""
    from driver import CHROMIUM_NAMES, CHROMIUM_OPTIONS, find_chromium

    path = find_chromium()
    if path is None:
        pytest.skip(
            f"No Chromium on this machine (looked for {', '.join(CHROMIUM_NAMES)}): nothing is "
            "tried in a browser here. On Debian: apt-get install chromium."
        )
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_OPTIONS)
        yield browser
        browser.close()
