"""The checks: a sound installation has only ok lines, and each broken state its own line with its fix."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import asdict, replace

from flowwarden.doctor.checks import CHECKS
from flowwarden.doctor.fact import Unread
from flowwarden.doctor.facts import Delivery, Facts, Trail
from flowwarden.doctor.line import Line, Problem, Verdict
from flowwarden.doctor.report import examine, is_sound
from tests.doctor.broken import SOUND_TOO, STATES
from tests.doctor.sound import GROUP, MONITOR, NOW, Break, changed, instead, part, sound, whole

PROBLEMS = {problem.name: (check.name, problem) for check in CHECKS for problem in check.problems}
DOCS = Path(__file__).parents[2]
DENIED = Unread("GetX: AccessDenied: give your credentials the permissions that docs/command-line.md lists")


def wrong(lines: list[Line]) -> list[Line]:
    """The lines that are not ok."""
    return [each for each in lines if each.verdict is not Verdict.OK]


def test_a_sound_installation_has_only_ok_lines_one_of_each_check() -> None:
    """Each check says what it found in order."""
    lines = examine(sound())
    assert wrong(lines) == []
    assert {each.check for each in lines} == {each.name for each in CHECKS}
    assert all(each.text and not each.fix and not each.problem for each in lines)
    assert is_sound(lines)


@pytest.mark.parametrize("name", SOUND_TOO)
def test_a_similar_state_without_a_problem_has_only_ok_lines(name: str) -> None:
    """The negative cases beside the broken states."""
    assert wrong(examine(SOUND_TOO[name](sound()))) == []


def test_every_problem_has_a_broken_state_and_the_other_way_around() -> None:
    """At least 20 of them; names are unique."""
    assert STATES.keys() == PROBLEMS.keys()
    assert len(PROBLEMS) >= 60
    assert sum(len(each.problems) for each in CHECKS) == len(PROBLEMS)


BROKEN = [(name, number) for name, states in STATES.items() for number in range(len(states))]


@pytest.mark.parametrize(("name", "number"), BROKEN)
def test_a_broken_state_has_its_own_line_with_its_fix_and_no_other(name: str, number: int) -> None:
    """Only a warning leaves the installation sound."""
    lines = examine(STATES[name][number](sound()))
    (line,) = wrong(lines)
    check, problem = PROBLEMS[name]
    assert (line.check, line.problem, line.verdict) == (check, name, problem.verdict)
    assert line.fix
    assert is_sound(lines) is (problem.verdict is Verdict.WARNING)


@pytest.mark.parametrize("name", PROBLEMS)
def test_no_placeholder_is_left_in_a_text_or_fix(name: str) -> None:
    """Every value that a text names is given."""
    for state in STATES[name]:
        (line,) = wrong(examine(state(sound())))
        assert not re.search(r"(?<!\$)\{[a-z_]+\}", line.text + line.fix)


@pytest.mark.parametrize(("name", "problem"), [(name, problem) for name, (_, problem) in PROBLEMS.items()])
def test_the_pages_that_a_fix_names_exist(name: str, problem: Problem) -> None:
    """With their heading."""
    for path, anchor in re.findall(r"(docs/[\w/.-]+\.md)#?([\w-]*)", problem.fix):
        page = (DOCS / path).read_text()
        headings = [each.lower().replace(" ", "-") for each in re.findall(r"^#+ (.*)$", page, re.MULTILINE)]
        assert not anchor or anchor in headings, name


def test_all_problems_at_once_hide_no_other() -> None:
    """The lines of different checks do not depend on each other."""
    one_of_each = {PROBLEMS[name][0]: name for name in STATES if PROBLEMS[name][0] != "mutes"}
    facts = sound()
    for name in one_of_each.values():
        facts = STATES[name][0](facts)
    assert {each.problem for each in wrong(examine(facts))} >= set(one_of_each.values())


MAPPINGS = (
    "functions", "permissions", "roles", "rules", "runs", "groups", "deliveries", "flow_logs", "coverage",
    "topics", "sinks", "services", "keys", "queues", "alarms",
)  # fmt: skip
WHOLE = ("trails", "table", "mutes", "policy", "limits")


def unread(facts: Facts, member: str) -> Facts:
    """The facts with a member that could not be read."""
    value = getattr(facts, member)
    return replace(facts, **{member: dict.fromkeys(value, DENIED) if member in MAPPINGS else DENIED})


@pytest.mark.parametrize("member", [*MAPPINGS, *WHOLE])
def test_what_cannot_be_read_is_unknown_with_the_reason_and_hides_nothing_else(member: str) -> None:
    """No line fails because of it, and the installation does not count as sound."""
    lines = examine(unread(sound(), member))
    assert {each.verdict for each in wrong(lines)} == {Verdict.UNKNOWN}
    assert {each.text for each in wrong(lines)} == {DENIED.reason}
    affected = {each.check for each in wrong(lines)}
    before = [each for each in examine(sound()) if each.check not in affected | {"mutes"}]
    assert [each for each in lines if each.check not in affected | {"mutes"}] == before
    assert not is_sound(lines)


def test_if_nothing_can_be_read_every_check_says_so() -> None:
    """Only the check of the stack remains."""
    facts = sound()
    for member in (*MAPPINGS, *WHOLE):
        facts = unread(facts, member)
    lines = examine(part("stack", listed=DENIED)(facts))
    assert {each.check for each in lines if each.verdict is Verdict.UNKNOWN} == {each.name for each in CHECKS}
    assert not [each for each in lines if each.verdict in {Verdict.FAILED, Verdict.WARNING}]


PARTS: list[Break] = [
    changed("functions", MONITOR, reserved=DENIED),
    changed("functions", MONITOR, on_failure=DENIED),
    changed("rules", "SweepSchedule", targets=DENIED),
    changed("roles", "MonitorRole", unread=(DENIED.reason,), statements=()),
    changed("deliveries", GROUP, writers=DENIED),
    changed("deliveries", GROUP, writers=0, incoming=DENIED, last_event=DENIED),
    changed("deliveries", GROUP, writers=0, incoming=0, expected=DENIED),
    whole("trails", (Trail(name="t", logging=DENIED, management=True),)),
    whole("trails", (Trail(name="t", logging=True, management=DENIED),)),
    part("table", expiry=DENIED),
    part("table", recovery=DENIED),
    part("table", throttled=DENIED),
    part("stack", listed=DENIED),
]


@pytest.mark.parametrize("number", range(len(PARTS)))
def test_a_part_that_cannot_be_read_is_unknown(number: int) -> None:
    """The rest of the same subject is still checked."""
    (line,) = wrong(examine(PARTS[number](sound())))
    assert (line.verdict, line.text) == (Verdict.UNKNOWN, DENIED.reason)


def test_the_rest_of_a_subject_is_checked_if_a_part_is_unknown() -> None:
    """A table without recovery whose expiry is unknown has two lines."""
    lines = wrong(examine(part("table", expiry=DENIED, recovery=False)(sound())))
    assert [each.verdict for each in lines] == [Verdict.UNKNOWN, Verdict.WARNING]


@pytest.mark.parametrize(
    ("delivery", "problem"),
    [
        (Delivery(hours=2, writers=0, incoming=DENIED, last_event=NOW - 60, expected=1), "records-unseen"),
        (Delivery(hours=2, writers=0, incoming=DENIED, last_event=NOW - 9000, expected=1), "records-missing"),
        (Delivery(hours=2, writers=0, incoming=DENIED, last_event=None, expected=1), "records-missing"),
    ],
)
def test_without_metrics_the_streams_show_whether_records_arrived(delivery: Delivery, problem: str) -> None:
    """Their times are late, but better than nothing."""
    (line,) = wrong(examine(instead("deliveries", GROUP, delivery)(sound())))
    assert line.problem == problem


HOSTILE = "a'; rm -rf / #\n\x1b[2Jok  \u202e{fix} {0} %s"


def hostile(value: Any) -> Any:
    """The value with every text in it replaced, except the verdicts of AWS."""
    if isinstance(value, str):
        return HOSTILE
    if isinstance(value, dict):
        return {f"{name}{HOSTILE}": hostile(each) for name, each in value.items()}
    if isinstance(value, tuple):
        return tuple(map(hostile, value))
    if hasattr(value, "__struct_fields__") and type(value).__name__ not in {"PolicyInUse", "MadeMute"}:
        return replace(value, **{name: hostile(each) for name, each in asdict(value).items()})
    return value


def test_texts_from_outside_neither_forge_a_line_nor_run_in_a_shell() -> None:
    """Every text is one printable line, and a value in a fix is one word of a shell."""
    facts = replace(hostile(sound()), place=replace(sound().place, stack=HOSTILE))
    lines = examine(facts)
    assert wrong(lines)
    for line in lines:
        for text in (line.subject, line.text, line.fix):
            assert text.isprintable()
        if line.fix.startswith("aws "):
            words = shlex.split(line.fix.replace("…", ""), comments=False)
            assert "rm" not in words


def test_a_long_text_of_aws_is_cut() -> None:
    """A line stays readable."""
    (line,) = wrong(examine(part("stack", status="UPDATE_ROLLBACK_COMPLETE", reason="x" * 10_000)(sound())))
    assert len(line.text) < 600
