"""The report in a headless Chromium: it draws its charts, loads nothing, works by keyboard and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from msgspec.structs import replace
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from flowwarden.replay.result import ReplayResult
from flowwarden_cli.report.library import script
from flowwarden_cli.report.page import page
from tests.browser import MISSING, Browser, browser, found
from tests.cli.report.results import largest, small
from tests.cli.report.test_page import ATTACK, MOST_BYTES, charts_of

pytestmark = pytest.mark.skipif(found() is None, reason=MISSING)

DESKTOP, PHONE, PAPER = 1280, 360, 794
DRAWN_SECONDS: Final = 4
"""The work of the page until all charts of the largest report are drawn: about 1.5 s here. It can be read and
scrolled much earlier, because charts are drawn one after the other."""
_WIDER = """
return [...document.querySelectorAll("body *")].filter((each) => {
  const box = each.getBoundingClientRect();
  return box.width && box.right > innerWidth + 1 && !each.closest(".wide");
}).map((each) => `${each.tagName} ${each.id} ${each.getBoundingClientRect().right}`);
"""


def hostile() -> ReplayResult:
    """The small result with hostile text in each place where AWS or a sender writes."""
    result = small()
    observed = result.observed
    assert observed is not None
    return replace(
        result,
        incidents=[
            replace(each, summary=ATTACK, text=ATTACK, subject=ATTACK, detectors=[ATTACK])
            for each in result.incidents
        ],
        observed=replace(
            observed,
            conversations=[replace(each, role=ATTACK, services=[ATTACK]) for each in observed.conversations],
            rejected_sources=replace(
                observed.rejected_sources,
                rows=[replace(each, name=ATTACK) for each in observed.rejected_sources.rows],
            ),
            scans=[
                replace(each, subject=ATTACK, points=[replace(one, target=ATTACK) for one in each.points])
                for each in observed.scans
            ],
        ),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reports, by name."""
    path = tmp_path_factory.mktemp("reports")
    library = script()
    for name, result in (("small", small()), ("largest", largest()), ("hostile", hostile())):
        (path / f"{name}.html").write_text(page(result, library), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all tests."""
    with browser(tmp_path_factory.mktemp("browser")) as one:
        yield one


@pytest.fixture
def chromium(shared: Browser) -> Browser:
    """The browser as on a desk, without messages of earlier tests."""
    shared.show(DESKTOP)
    shared.logged()
    shared.requests()
    return shared


@pytest.mark.parametrize("name", ["small", "hostile"])
def test_all_charts_are_drawn_without_a_message_and_without_a_request(
    chromium: Browser, folder: Path, name: str
) -> None:
    """Also those of hostile names; the only request is that of the file itself."""
    path = folder / f"{name}.html"
    chromium.open(path)
    charts = [each["name"] for each in charts_of(path.read_text(encoding="utf-8"))]
    drawn = chromium.run(
        "return [...document.querySelectorAll('.chart')]"
        ".filter((each) => each.querySelector('svg path')).map((each) => each.id)"
    )
    assert drawn == charts
    assert chromium.logged() == []
    assert set(chromium.requests()) == {path.as_uri()}


def test_hostile_names_are_shown_as_text(chromium: Browser, folder: Path) -> None:
    """No script ran, no element was made, and a name is within a label of a chart."""
    chromium.open(folder / "hostile.html")
    assert chromium.run("return document.images.length") == 0
    labels = chromium.run("return [...document.querySelectorAll('svg text')].map((each) => each.textContent)")
    assert any(each.startswith("</script>") for each in labels)


@pytest.mark.parametrize("dark", [False, True])
def test_text_and_marks_have_enough_contrast_in_light_and_dark(
    chromium: Browser, folder: Path, *, dark: bool
) -> None:
    """Text at least 4.5 to 1, marks 3 to 1, as WCAG asks for."""
    chromium.show(DESKTOP, dark=dark)
    chromium.open(folder / "small.html")
    colors = {
        name: chromium.run(
            "return getComputedStyle(document.documentElement).getPropertyValue(arguments[0])", name
        )
        for name in (
            "--paper",
            "--panel",
            "--ink",
            "--soft",
            "--link",
            "--accepted",
            "--rejected",
            "--skipped",
            "--line",
        )
    }
    for name in ("--ink", "--soft", "--link"):
        assert contrast(colors[name], colors["--paper"]) >= 4.5, name
        assert contrast(colors[name], colors["--panel"]) >= 4.5, name
    for name in ("--accepted", "--rejected", "--skipped", "--line"):
        assert contrast(colors[name], colors["--paper"]) >= 3, name
    assert (luminance(colors["--paper"]) < 0.5) is dark


def contrast(one: str, other: str) -> float:
    """The ratio of two colors' luminance, from 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(color: str) -> float:
    """The relative luminance of a color such as `#0072b2`."""
    parts = [int(color.strip()[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        each / 12.92 if each <= 0.03928 else ((each + 0.055) / 1.055) ** 2.4 for each in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("name", ["small", "hostile"])
def test_a_phone_shows_the_whole_width(chromium: Browser, folder: Path, name: str) -> None:
    """Nothing but wide tables scrolls sideways, within their own boxes."""
    chromium.show(PHONE)
    chromium.open(folder / f"{name}.html")
    assert chromium.run("return document.documentElement.scrollWidth") <= PHONE
    assert chromium.run(_WIDER) == []


def test_paper_shows_everything_within_its_width(chromium: Browser, folder: Path) -> None:
    """And incidents with their text, which are folded again after that."""
    chromium.show(PAPER, 1123, media="print")
    chromium.open(folder / "small.html")
    chromium.run("dispatchEvent(new Event('beforeprint'))")
    assert chromium.run("return document.querySelectorAll('details.incident:not([open])').length") == 0
    assert chromium.run(_WIDER) == []
    chromium.run("dispatchEvent(new Event('afterprint'))")
    assert chromium.run("return document.querySelectorAll('details.incident[open]').length") == 0
    printed = chromium.pdf()
    assert printed.startswith(b"%PDF-")
    assert printed.count(b"/Type /Page\n") >= 2


def test_the_keyboard_reaches_everything(chromium: Browser, folder: Path) -> None:
    """The first stop skips to the content; each link, folded part and wide table follows."""
    chromium.open(folder / "small.html")
    chrome = chromium.chrome
    chrome.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    assert chrome.switch_to.active_element.text == "Skip to the content"
    assert chromium.run("return getComputedStyle(document.activeElement).outlineStyle") != "none"
    chrome.switch_to.active_element.send_keys(Keys.ENTER)
    assert chromium.run("return document.activeElement.id") == "content"
    chrome.switch_to.active_element.send_keys(Keys.TAB)
    first = chrome.switch_to.active_element
    assert first.tag_name == "summary"
    first.send_keys(Keys.ENTER)
    assert chromium.run("return document.activeElement.parentElement.open")
    chrome.switch_to.active_element.send_keys(Keys.TAB)
    assert chrome.switch_to.active_element.get_attribute("role") == "region"


def test_each_chart_has_a_description_and_its_data_as_a_table(chromium: Browser, folder: Path) -> None:
    """For those who do not see it."""
    chromium.open(folder / "small.html")
    lacking = chromium.run(
        "return [...document.querySelectorAll('figure')].filter((each) => "
        "!(each.querySelector('[role=img]').ariaLabel.length > 20 && each.querySelector('tbody tr'))).length"
    )
    assert lacking == 0


def test_a_chart_shows_its_values_at_the_pointer_as_text(chromium: Browser, folder: Path) -> None:
    """Escape hides them."""
    chromium.open(folder / "hostile.html")
    mark = "document.querySelector('#rejected-sources .mark-rect path')"
    chromium.run(
        f"{mark}.dispatchEvent(new PointerEvent('pointermove', {{bubbles: true, clientX: 9, clientY: 9}}))"
    )
    chromium.run(
        f"{mark}.dispatchEvent(new MouseEvent('mousemove', {{bubbles: true, clientX: 300, clientY: 300}}))"
    )
    assert "</script>" in chromium.run("return document.getElementById('tip').textContent")
    assert chromium.run("return document.getElementById('tip').hidden") is False
    chromium.run("document.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape'}))")
    assert chromium.run("return document.getElementById('tip').hidden") is True


def test_the_largest_report_is_small_and_opens_quickly(chromium: Browser, folder: Path) -> None:
    """A week of a million records: below 5 MB.

    The work of the page's own thread is measured, because the time depends on what else the machine does.
    """
    path = folder / "largest.html"
    assert path.stat().st_size < MOST_BYTES
    chromium.open(path)
    assert chromium.main_thread_seconds() < DRAWN_SECONDS
    assert chromium.logged() == []
