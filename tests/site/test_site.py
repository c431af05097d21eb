"""The site, built as `make site` builds it, and opened in a real browser without a kernel."""

from importlib import import_module
from itertools import cycle, pairwise

import pytest
from axe_playwright_python.sync_playwright import Axe
from driver import REPOSITORY
from pages import broken_links, pages

ROOMS = ("tape", "frameworks", "gradcheck", "figures", "widgets", "grading")
ONE_OF_EACH = (
    "docs/index.html",
    "docs/instructor.html",
    "docs/api/gradcheck.html",
    "notebooks/01_tape.html",
    "exercises/01_tape/tape.html",
)


def names(site):
    """Of all pages but the first, which sends its reader on."""
    found = [page.path.relative_to(site).as_posix() for page in pages(site)]
    return [name for name in found if name != "index.html"]


# -- as files --------------------------------------------------------------------------------------


def test_sphinx_warns_of_nothing(build):
    """A link that leads nowhere in the sources, a page that is in no list, a name without entry."""
    assert build[1] == ""


def test_every_notebook_exercise_and_guide_is_a_page(site):
    sources = [
        *REPOSITORY.glob("notebooks/*.ipynb"),
        *REPOSITORY.glob("exercises/*/*.ipynb"),
        *REPOSITORY.glob("docs/*.md"),
    ]
    expected = {path.relative_to(REPOSITORY).with_suffix(".html").as_posix() for path in sources}
    assert expected - set(names(site)) == set()


def test_every_link_and_anchor_leads_somewhere(site):
    broken = [f"{page.path.name}: {link}" for page in pages(site) for link in broken_links(page)]
    assert broken == []


def test_every_picture_has_a_sentence(site):
    silent = [
        f"{page.path.name}: {picture['src']}"
        for page in pages(site)
        for picture in page.pictures
        if not (picture.get("alt") or "").strip() or picture["alt"] == picture["src"]
    ]
    assert silent == []


def test_no_heading_level_is_skipped(site):
    skipped = [
        f"{page.path.name}: {page.headings}"
        for page in pages(site)
        if any(below > above + 1 for above, below in pairwise([0, *page.headings]))
    ]
    assert skipped == []


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_has_an_entry(site, room):
    (page,) = (page for page in pages(site) if page.path.match(f"docs/api/{room}.html"))
    public = {f"course_lib.{room}.{name}" for name in import_module(f"course_lib.{room}").__all__}
    assert public - page.ids == set()


# -- in the browser --------------------------------------------------------------------------------


def test_every_page_opens_without_a_fault(site, reader):
    """No error in the console, no request that fails or leaves the site."""
    window, faults = reader(), []
    for name in names(site):
        window.open(name)
        faults += [f"{name}: {fault}" for fault in window.faults]
        window.faults.clear()
    assert faults == []


def test_the_first_page_leads_to_the_front_page(reader):
    page = reader().open("")
    page.get_by_role("heading", name="Custom gradients, by hand and by heart").wait_for()


@pytest.mark.parametrize(
    ("name", "theme"), list(zip(ONE_OF_EACH, cycle(["light", "dark"]), strict=False))
)
def test_axe_finds_nothing_serious(reader, name, theme):
    page = reader(color_scheme=theme).open(name)
    only = {"context": {"include": [["main"]]}, "options": {"preload": False}}
    faults = [
        f"{fault['id']}: {node['html'][:200]}"
        for fault in Axe().run(page, **only).response["violations"]
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]
    assert faults == []


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_a_page_fits_a_telephone(reader, name):
    page = reader(viewport={"width": 390, "height": 800}).open(name)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390


def test_the_search_finds_a_page(reader):
    window = reader()
    page = window.open("search.html?q=checkpointing")
    page.locator("#search-results a", has_text="Memory for compute").first.wait_for()
    assert window.faults == []


# -- live without a kernel -------------------------------------------------------------------------


def stepper(page):
    """The stage of notebook 01 that asks nothing first."""
    return page.locator(".cg-stage", has=page.locator("text >> text=exp"))


def test_a_stepper_steps_by_click_and_by_key(reader):
    window = reader()
    page = window.open("notebooks/01_tape.html")
    stage = stepper(page)
    before = stage.inner_html()
    assert stage.get_attribute("aria-valuetext") == "Step 0 of 8: The inputs: x = 0.500 and z = 1."
    page.get_by_role("button", name="Next", exact=True).click()
    assert stage.get_attribute("aria-valuetext").startswith("Step 1 of 8: Forward: v1 = x · z")
    assert stage.inner_html() != before
    stage.focus()
    page.keyboard.press("ArrowRight")
    assert stage.get_attribute("aria-valuenow") == "2"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert stage.inner_html() == before
    page.keyboard.press("End")
    assert stage.get_attribute("aria-valuetext").startswith("Step 8 of 8: The gradient")
    assert window.faults == []


def predict(page, question, choice):
    """Commit to a choice, and return the group that asks."""
    group = page.get_by_role("group", name=question)
    group.get_by_role("radio", name=choice, exact=True).check()
    group.get_by_role("button", name="Commit").click()
    return group


def test_a_prediction_comes_before_its_view(reader):
    page = reader().open("notebooks/01_tape.html")
    stepper(page).wait_for()
    stages = page.locator(".cg-stage")
    assert stages.count() == 1
    group = predict(page, "On the way back, which adjoint is complete last?", "that of sin")
    group.get_by_text("You said: that of sin. It is: that of x.").wait_for()
    assert group.get_by_role("radio").first.is_disabled()
    assert stages.count() == 2


def test_a_prediction_comes_before_its_picture(reader):
    page = reader().open("notebooks/07_modified_on_purpose.html")
    picture = page.get_by_alt_text("double_exp(x) at x = 0.40: value 1.492, gradient 2.984")
    assert picture.count() == 0
    group = predict(page, "At x = 0 the curve of exp has the slope 1.", "2")
    group.get_by_text("Right: 2.").wait_for()
    shown, card = picture.bounding_box(), group.bounding_box()
    assert shown["y"] >= card["y"] + card["height"]
    assert shown["width"] / shown["height"] == pytest.approx(760 / 366, rel=0.02)


def test_a_race_can_be_scrubbed(reader):
    page = reader().open("notebooks/07_modified_on_purpose.html")
    predict(page, "Where does the ReLU with slope -0.5 go from x = -1", "it stays")
    race = page.locator(".cg-stage").first
    race.focus()
    page.keyboard.press("Home")
    assert race.get_attribute("aria-valuetext").startswith("Step 0 of 60")


def test_every_packed_view_is_live_and_hides_its_picture(site, reader):
    """On the front page and in the notebooks."""
    window, packed = reader(), 0
    for path in (site / "docs" / "index.html", *sorted(site.glob("notebooks/*.html"))):
        count = path.read_text(encoding="utf-8").count('class="cg-offline"')
        if not count:
            continue
        page = window.open(path.relative_to(site).as_posix())
        for k in range(count):
            view = page.locator(".cg-offline").nth(k)
            view.locator(".cg-stage, .cg-choice").first.wait_for()
            output = view.locator("xpath=ancestor::*[contains(@class, 'cell_output')]")
            assert output.locator("img").is_hidden()
        packed += count
    assert packed >= 15


def test_without_scripts_the_picture_stays(reader):
    page = reader(java_script_enabled=False).open("notebooks/01_tape.html")
    assert page.get_by_alt_text("Step 8 of 8: The gradient").is_visible()


@pytest.mark.parametrize(("theme", "paper"), [("light", "255, 255, 255"), ("dark", "17, 17, 17")])
def test_a_live_view_follows_the_theme(reader, theme, paper):
    page = reader(color_scheme=theme).open("notebooks/01_tape.html")
    under = page.locator(".cell_output .text_html").first
    assert under.evaluate("html => getComputedStyle(html).backgroundColor") == "rgba(0, 0, 0, 0)"
    ground = stepper(page).locator("rect.f-page").first
    assert ground.evaluate("page => getComputedStyle(page).fill") == f"rgb({paper})"


def test_formulas_are_drawn_in_the_font_of_the_site(reader):
    page = reader().open("notebooks/02_three_dialects.html")
    loaded = page.evaluate(
        "() => document.fonts.ready.then(all => [...all].filter(f => f.status === 'loaded')"
        ".map(f => f.family.replaceAll('\"', '')))"
    )
    assert "STIX Two Math" in loaded
    formula = page.locator(".formula math").first.bounding_box()
    assert formula["height"] > 30
