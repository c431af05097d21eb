"""Chromium and the driver of the browser tests, for houses other than JupyterLab."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))

from driver import CHROMIUM_OPTIONS, find_chromium


@pytest.fixture(scope="session")
def chromium() -> Iterator:
    """The system's Chromium; each visitor opens a context of their own."""
    path = find_chromium()
    if path is None:
        pytest.skip("No Chromium on this machine. On Debian: apt-get install chromium.")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_OPTIONS)
        yield browser
        browser.close()
