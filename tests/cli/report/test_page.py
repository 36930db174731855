"""The report's HTML: complete, bounded, and safe whatever the texts in it are."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flowwarden.replay.result import Bucket, ReplayResult, ReportOnly
from flowwarden_cli.report.html import element, embedded_json, table
from flowwarden_cli.report.page import page
from flowwarden_cli.report.scans import MOST_DRAWN
from flowwarden_cli.report.sections import REPORT_ONLY
from flowwarden_cli.report.timeline import MOST_BARS, coarse
from tests.cli.report.results import BEGIN, largest, small
from tests.hostile import HOSTILE, places, poisoned

LIBRARY = "window.vegaEmbed = null;"
ATTACK = "</script></style></pre></td><script>alert(1)</script><img src=x onerror=alert(1)>'\"" + HOSTILE
VOID = frozenset({"meta"})
MOST_BYTES = 5_000_000


class Structure(HTMLParser):
    """Elements, ids, texts and links of a page; checks that elements are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.tags = Counter[str]()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.handlers: list[str] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self._open: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Count it."""
        named = dict(attrs)
        self.tags[tag] += 1
        self.handlers += [name for name in named if name.startswith("on")]
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]
        if tag not in VOID:
            self._open.append((tag, named))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Count it; it is closed."""
        self.tags[tag] += 1
        del attrs

    def handle_endtag(self, tag: str) -> None:
        """It ends what was opened last."""
        assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        """Note the scripts."""
        if self._open and self._open[-1][0] == "script":
            self.scripts.append((self._open[-1][1], data))


def parsed(text: str) -> Structure:
    """The structure of a page."""
    structure = Structure()
    structure.feed(text)
    structure.close()
    return structure


def charts_of(text: str) -> list[dict[str, Any]]:
    """The charts that the page contains as JSON."""
    (found,) = [script for attributes, script in parsed(text).scripts if attributes.get("id") == "charts"]
    charts: list[dict[str, Any]] = json.loads(found)
    return charts


def test_the_page_has_all_sections_and_charts() -> None:
    """Each chart has its place, a description, and its data as a table."""
    text = page(small(), LIBRARY)
    ids = parsed(text).ids
    for name in ("timeline", "incidents", "conversations", "rejected", "scans", "baselines", "coverage"):
        assert name in ids
    charts = charts_of(text)
    assert {"timeline-incidents", "timeline-accepted", "days-detectors", "coverage-gaps"} <= {
        each["name"] for each in charts
    }
    for each in charts:
        assert each["name"] in ids
        assert each["spec"]["description"]
    assert text.count("as a table</summary>") == len(charts)


def test_ids_are_unique_and_links_stay_within_the_page() -> None:
    """A chart with the id of a section would be drawn in place of the section."""
    structure = parsed(page(small(), LIBRARY))
    assert [name for name, count in Counter(structure.ids).items() if count > 1] == []
    assert all(each.startswith("#") and each[1:] in structure.ids for each in structure.links)


def test_the_policy_allows_exactly_the_scripts_and_the_style_of_the_page() -> None:
    """By their hashes; nothing may be loaded."""
    text = page(small(), LIBRARY)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy is not None
    rules = dict(each.strip().split(" ", 1) for each in policy[1].split(";"))
    scripts = [script for attributes, script in parsed(text).scripts if "type" not in attributes]
    hashes = {f"'sha256-{b64encode(sha256(each.encode()).digest()).decode()}'" for each in scripts}
    assert len(scripts) == 2
    assert set(rules["script-src"].split()) == hashes
    assert rules["default-src"] == "'none'"


def attacked() -> Iterator[tuple[str, ReplayResult]]:
    """The result with hostile text in each of its places, several at once, by kind of place."""
    result = small()
    kinds: dict[str, list[tuple[Any, ...]]] = {}
    for path in places(result):
        kinds.setdefault(".".join(each for each in path if isinstance(each, str)), []).append(path)
    for kind, paths in kinds.items():
        yield kind, poisoned(result, paths[0], ATTACK)


def test_hostile_text_adds_no_element_and_no_attribute() -> None:
    """In none of the places of a result; it is shown as text, without invisible characters."""
    expected = parsed(page(small(), LIBRARY))
    for kind, result in attacked():
        text = page(result, LIBRARY)
        structure = parsed(text)
        assert structure.tags["img"] == 0, kind
        assert structure.tags["script"] == expected.tags["script"], kind
        assert structure.handlers == [], kind
        assert not re.search(
            "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200d\u202a-\u202e\u2028\u2029\u2066-\u2069]", text
        ), kind


@given(st.text() | st.sampled_from(("<!--<script>", "</script>", "]]>", "&lt;")))
def test_json_within_a_script_is_the_same_value_and_ends_nothing(text: str) -> None:
    """Whatever the text is."""
    encoded = embedded_json({"text": text})
    assert not set("<>&") & set(encoded)
    assert json.loads(encoded) == {"text": text}


@given(st.text())
def test_a_text_is_one_text_in_an_element_and_in_an_attribute(text: str) -> None:
    """It begins no element and no other attribute."""
    structure = parsed(element("p", text, title=text) + table(text, [text], [[text, 1]]))
    assert structure.tags == Counter(p=1, div=1, table=1, caption=1, thead=1, tbody=1, tr=2, th=2, td=1)


def test_the_largest_report_is_below_its_limit() -> None:
    """With the plotting library, of about a megabyte."""
    text = page(largest(), "x" * 1_000_000)
    assert len(text.encode()) < MOST_BYTES
    for each in charts_of(text):
        layers = [each["spec"], *each["spec"].get("layer", ())]
        assert all(len(layer.get("data", {}).get("values", ())) <= 2_000 for layer in layers), each["name"]
        if each["name"].startswith("scan-"):
            assert len(each["spec"]["data"]["values"]) <= MOST_DRAWN


def test_an_archive_without_anything_has_a_page() -> None:
    """Without records, incidents and observations."""
    empty = replace(
        small(),
        begin=None,
        end=None,
        incidents=[],
        days=[],
        noisiest=[],
        report_only=[],
        not_judged=[],
        traffic=[],
        observed=None,
    )
    text = page(empty, LIBRARY)
    assert charts_of(text) == []
    assert "Everything was judged." in text
    assert "No incident" in text


def test_report_only_detectors_have_a_section_if_they_found_something() -> None:
    """With the first rows, and the number of the others; as text, whatever a subject contains."""
    one = ReportOnly(detector="scan", subject=ATTACK, summary="found", findings=3, first=BEGIN, last=BEGIN)
    assert "Report-only detectors" not in page(small(), LIBRARY)
    text = page(replace(small(), report_only=[one] * (REPORT_ONLY + 2)), LIBRARY)
    assert "Report-only detectors" in text
    assert text.count("found</td>") == REPORT_ONLY
    assert "And 2 more subjects" in text
    assert ATTACK not in text


@pytest.mark.parametrize("days", [1, 7, 40, 400])
def test_bars_are_few_and_count_every_record(days: int) -> None:
    """Their length divides a day, or is a number of days."""
    traffic = [Bucket(begin=at * 600, accepted=at % 7, rejected=at % 3) for at in range(days * 144)]
    bars, seconds = coarse(traffic, 600)
    assert len(bars) <= MOST_BARS
    assert seconds % 86_400 == 0 or 86_400 % seconds == 0
    assert sum(each.accepted for each in bars) == sum(each.accepted for each in traffic)
    assert sum(each.rejected for each in bars) == sum(each.rejected for each in traffic)
