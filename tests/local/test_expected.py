"""The comparison of `make invoke`: every difference from an event's expected outcome is found and shown."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

import dispatcher
import monitor
from flowwarden.sinks.sns import fit_subject
from local.expected import Observed, differences, metric_of, renamed
from local.inbox import Delivery
from local.invoke import show_comparison
from local.payload import AccountState, NotAnEvent, ReadableEvent, read, read_expected
from local.terminal import Terminal

EVENTS = sorted((Path(__file__).parents[2] / "events").glob("*/*.json"))
NAMES = {"vpc-0a10c0de00000001": "vpc-real1", "vpc-0a10c0de00000002": "vpc-real2", "fl-0b1": "fl-real"}


def delivery(
    document: dict[str, Any], subject: str = "", attributes: dict[str, str] | None = None
) -> Delivery:
    """A delivered notification."""
    return Delivery(subject=subject, document=document, attributes=attributes or {}, arrived=0)


def fulfilled(expected: dict[str, Any], names: dict[str, str]) -> Observed:
    """An outcome with everything that is expected, and with members that are not compared."""
    wanted = renamed(expected, names)
    if wanted.get("control"):
        return Observed(result={"control": True})
    if "counts" in wanted:
        counts = {metric_of(name): count for name, count in wanted["counts"].items()}
        pages, operations = (
            [delivery({**each, "incident": "x"}) for each in wanted.get(route, [])]
            for route in ("pages", "operations")
        )
        return Observed(result=counts | {"Batches": 1}, pages=pages, operations=operations)
    result = wanted["result"] | {"reason": "a reason"}
    if "steps" in wanted:
        vpcs = [
            {"vpc": vpc, "steps": [{"type": step} for step in steps]}
            for vpc, steps in wanted["steps"].items()
        ]
        result["plan"] = {"vpcs": vpcs}
    sent = wanted["notification"]
    if sent is None:
        return Observed(result=result)
    text = {"text": "\n".join(sent["text"])}
    return Observed(
        result=result, operations=[delivery(text, fit_subject(sent["subject"]), sent["attributes"])]
    )


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_expected_outcome_of_each_event_has_no_difference(path: Path) -> None:
    """Whatever ids the AWS emulator gave."""
    expected = read_expected(path)
    assert expected is not None
    assert differences(expected, fulfilled(expected, NAMES), NAMES) == []


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_another_outcome_of_each_event_differs(path: Path) -> None:
    """No event accepts an empty result, an additional notification or a missing one."""
    expected = read_expected(path) or {}
    good = fulfilled(expected, NAMES)
    assert differences(expected, Observed(result={}), NAMES)
    if "control" in expected:
        return
    more = [*good.operations, delivery({"text": "x"}, "another")]
    found = differences(expected, Observed(result=good.result, pages=good.pages, operations=more), NAMES)
    assert [each.what for each in found] in (["operations"], ["notifications"])
    for route in ("pages", "operations"):
        if getattr(good, route):
            fewer = {"pages": good.pages, "operations": good.operations, route: []}
            assert differences(expected, Observed(result=good.result, **fewer), NAMES)


def test_a_difference_shows_both_sides() -> None:
    """With the real ids."""
    expected = {"result": {"created": ["vpc-0a10c0de00000001"], "pending": []}, "notification": None}
    observed = Observed(result={"created": [], "pending": ["vpc-real1"], "reason": "x"})
    found = differences(expected, observed, NAMES)
    assert [(each.what, each.expected, each.got) for each in found] == [
        ("created", ["vpc-real1"], []),
        ("pending", [], ["vpc-real1"]),
    ]


def test_a_missing_part_of_a_text_and_another_member_of_a_page_are_differences() -> None:
    """The rest of a text or page may be anything."""
    sent = {"subject": "s", "attributes": {"kind": "enforcement"}, "text": ["one", "two"]}
    expected = {"result": {}, "notification": sent}
    got = Observed(result={}, operations=[delivery({"text": "one"}, "s", {"kind": "enforcement"})])
    assert [(each.what, each.expected) for each in differences(expected, got, {})] == [("text", "two")]
    pages = {"counts": {"no_data": 1}, "pages": [{"detector": "scan"}]}
    other = Observed(result={"NoData": 1}, pages=[delivery({"detector": "host-probing"})])
    assert [each.what for each in differences(pages, other, {})] == ["pages, number 1"]


def test_counts_are_named_like_the_metrics() -> None:
    """Each count of an event is a metric of its function; of the monitor, also the name of an attribute."""
    counts = {path: (read_expected(path) or {}).get("counts", {}) for path in EVENTS}
    names = {name for path, each in counts.items() for name in each if path.parent.name == "monitor"}
    assert names
    assert {monitor.METRICS[metric_of(name)] for name in names} == names
    others = [[*map(metric_of, each)] for path, each in counts.items() if path.parent.name == "dispatcher"]
    assert others
    assert all(each == [*dispatcher.METRICS] for each in others)


def test_an_id_that_begins_with_another_is_replaced_as_a_whole() -> None:
    """The longest first."""
    assert renamed({"a": ["fl-1", "fl-12"]}, {"fl-1": "x", "fl-12": "y"}) == {"a": ["x", "y"]}


@pytest.mark.parametrize(
    ("expected", "result", "code", "texts"),
    [
        (None, {"a": 1}, 0, ["states no expected outcome"]),
        ({"result": {"a": 1}, "notification": None}, {"a": 1}, 0, ["as expected"]),
        (
            {"result": {"a": 1}, "notification": None},
            {"a": 2},
            1,
            ["✗ a", "expected: 1", "got: 2", "account.role", "1 difference"],
        ),
    ],
)
def test_the_comparison_is_printed_and_decides_the_exit_code(
    expected: dict[str, Any] | None, result: dict[str, Any], code: int, texts: list[str]
) -> None:
    """A difference is shown together with what the emulator does not support."""
    event = ReadableEvent(event={"detail-type": "x"}, account=AccountState(role={"trusted": []}))
    output = io.StringIO()
    found = differences(expected, Observed(result=result), {}) if expected else []
    assert show_comparison(Terminal(output), event, expected, found) == code
    for text in texts:
        assert text in output.getvalue()


@pytest.mark.parametrize(("content", "expected"), [("{}", None), ('{"expected": {"a": 1}}', {"a": 1})])
def test_an_event_may_state_no_outcome(tmp_path: Path, content: str, expected: object) -> None:
    """A user's own file may lack one."""
    path = tmp_path / "event.json"
    path.write_text(content)
    assert read_expected(path) == expected


@pytest.mark.parametrize("content", ["", "[]", '{"expected": 5}'])
def test_a_file_without_a_readable_outcome_is_refused(tmp_path: Path, content: str) -> None:
    """With its name."""
    path = tmp_path / "event.json"
    path.write_text(content)
    with pytest.raises(NotAnEvent, match=r"event\.json"):
        read_expected(path)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("enforcer/create-vpc", []),
        ("enforcer/create-vpc-shared", ["account.vpcs (one of another account)"]),
        ("enforcer/throttled", ["account.refuses"]),
        ("monitor/two-formats", ["log_formats"]),
        ("monitor/scan", []),
    ],
)
def test_what_the_emulator_does_not_do_is_known_for_each_event(name: str, parts: list[str]) -> None:
    """So a difference is not mistaken for a fault of the function."""
    assert list(read(EVENTS[0].parents[1] / f"{name}.json").unsupported) == parts
