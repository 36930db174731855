"""The report on learning: each role once, when it is learned, whatever fails."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.bootstrap.more_sinks import MoreSinks
from flowwarden.errors import PublishFailed
from flowwarden.monitor.review import due
from flowwarden.monitor.review.reports import BEGIN, RETRY_SECONDS
from flowwarden.notify.alert import Route
from flowwarden.state.write_budget import MOST_WRITES
from tests.examples import examples
from tests.faults import Fault, Faults
from tests.matrix import some
from tests.monitor.review.account import FIRST, NOON, account, batch, learned, life, live, process, reports
from tests.monitor.scenarios import Account
from tests.monitor.weeks import DAY
from tests.notify.fakes import CrashError, MemorySink

DUE = 16
"""Days after which the first report is due."""


def test_a_role_is_reported_once_when_it_is_learned() -> None:
    """Two days after the two weeks of learning, not before, and never again."""
    one = learned("web")
    assert reports(one) == []
    live(one, range(DUE, DUE + 1))
    (sent,) = reports(one)
    assert [each["role"] for each in sent.document["roles"]] == ["tag:Role=web"]
    live(one, range(DUE + 1, DUE + 40))
    assert len(reports(one)) == 1


def test_the_report_lists_what_was_learned() -> None:
    """What reaches the role, and what it administers, connects to outside, and is refused."""
    one = learned("web")
    live(one, range(DUE, DUE + 1))
    (role,) = reports(one)[0].document["roles"]
    assert role["listed"] == {"reached": 1, "administers": 1, "goes-out": 2, "refused": 1}
    days = "16 days since 2025-11-08"
    listed = f"""\
Role tag:Role=web (hosts in 10.0.1.0/24; 16 days since 2025-11-08)
  Reached from outside
    SSH (tcp/22), from the internet: {days}
  Administers
    SSH (tcp/22), to 10.0.200.0/24: {days}
  Goes out
    tcp/4444, to the internet: {days}
    HTTPS (tcp/443), to the internet: {days}
  Is refused
    SMTP (tcp/25), to the internet: {days}
"""
    assert listed in reports(one)[0].text


def test_roles_that_began_later_are_in_the_same_report() -> None:
    """Within two days; others follow a week later, together."""
    one = account("a", "b", "c")
    live(one, range(1), [1])
    live(one, range(1, 3), [1, 2])
    live(one, range(3, 40), [1, 2, 3])
    listed = [[each["role"][-1] for each in sent.document["roles"]] for sent in reports(one)]
    assert listed == [["a", "b"], ["c"]]


def test_a_role_that_is_seldom_seen_is_not_reported() -> None:
    """Its traffic on two days is not enough to be learned."""
    one = account("web", "rare")
    live(one, range(2), [1, 2])
    live(one, range(2, 30))
    assert [each["role"] for each in reports(one)[0].document["roles"]] == ["tag:Role=web"]


@pytest.mark.parametrize("when", ["too little time", "beginning of the day"])
def test_a_report_waits_for_another_batch(when: str) -> None:
    """It never delays pages, and all containers ask about the same day."""
    one = learned("web")
    at = (FIRST + DUE) * DAY + (NOON if when == "too little time" else BEGIN - 1)
    seconds = 29.0 if when == "too little time" else 40.0
    container = one.container(Faults())
    process(container, batch(1, life(1, at), at), at, seconds=seconds)
    assert reports(one) == []
    process(container, batch(1, life(1, at + 1), at + 1), at + 1)
    assert len(reports(one)) == 1


def test_a_refused_report_is_sent_by_a_later_batch() -> None:
    """Its batch does not fail, because its pages are sent; the next attempt is ten minutes later."""
    one = learned("web")
    one.operations.away = True
    container, at = one.container(Faults()), (FIRST + DUE) * DAY + NOON
    process(container, batch(1, life(1, at), at), at)
    one.operations.away = False
    process(container, batch(1, life(1, at + 60), at + 60), at + 60)
    assert reports(one) == []
    later = at + RETRY_SECONDS
    process(container, batch(1, life(1, later), later), later)
    assert len(reports(one)) == 1


def test_a_report_of_many_roles_continues_on_the_next_day() -> None:
    """Each role is in one report."""
    count = due.MOST_ROLES + 5
    one = learned(*(f"role-{number}" for number in range(count)))
    live(one, range(DUE, DUE + 3))
    first, second = reports(one)
    assert first.document["more_roles_follow"]
    assert not second.document["more_roles_follow"]
    roles = [each["role"] for sent in (first, second) for each in sent.document["roles"]]
    assert len(roles) == len(set(roles)) == count
    assert len(first.document["roles"]) == due.MOST_ROLES


def test_a_day_on_which_nothing_is_due_costs_one_query() -> None:
    """For each container, and no call for its further batches."""
    one = learned("web", days=3)
    faults = Faults()
    container, at = one.container(faults), (FIRST + 3) * DAY + NOON
    for number in range(5):
        process(container, batch(1, life(1, at + number), at + number), at + number)
    calls = [each for each in faults.calls if each.startswith("MemoryRoles")]
    assert calls == ["MemoryRoles.load"] * 2  # to store roles, and to ask what is due
    assert one.roles.writes == 1


def test_the_writes_of_a_report_are_few() -> None:
    """The claim, its confirmation, and the mark."""
    one = learned("web")
    claims, writes = one.claims.calls, one.evidence.writes
    live(one, range(DUE, DUE + 1))
    assert one.claims.calls - claims == 2
    assert one.evidence.written[writes:].count(due.KEY) == 1
    assert one.evidence.writes - writes + 2 <= MOST_WRITES


def test_every_sink_of_operations_gets_the_report_once() -> None:
    """Each costs a claim and its confirmation."""
    one = learned("web")
    more = [MemorySink(name=f"service-{number}") for number in range(4)]
    one.more_sinks = MoreSinks(by_route={Route.OPERATIONS: more})
    claims = one.claims.calls
    live(one, range(DUE, DUE + 3))
    assert len(reports(one)) == 1
    assert [[each.document["kind"] for each in sink.sent] for sink in more] == [["learning-report"]] * 4
    assert one.claims.calls - claims == 2 * 5


@examples(0.1)
@given(st.lists(st.integers(0, 2), min_size=6, max_size=12), st.randoms(use_true_random=False))
def test_any_assignment_to_containers_sends_one_report(places: list[int], random: object) -> None:
    """Containers that saw the weeks, and new ones; batches delivered twice."""
    one = learned("web", "db")
    containers = [one.container(Faults()) for _ in range(3)]
    begin = (FIRST + DUE) * DAY + NOON
    times = [begin + number * 120 for number in range(len(places))]
    random.shuffle(times)  # type: ignore[attr-defined]
    for place, at in zip(places, times, strict=True):
        given_batch = batch(1 + place % 2, life(1 + place % 2, at), at)
        process(containers[place], given_batch, at)
        process(containers[(place + 1) % 3], given_batch, at, attempt="second")
    assert len(reports(one)) == 1
    assert {each["role"] for each in reports(one)[0].document["roles"]} == {"tag:Role=web", "tag:Role=db"}


def _run(faults: Faults, *, cold: bool) -> Account:
    """Batches every ten minutes of the day on which the report is due; one that fails is delivered again."""
    one = learned("web")
    container, begin = one.container(faults), (FIRST + DUE) * DAY + NOON
    for number in range(4):
        at = begin + number * 700
        for attempt in range(3):
            try:
                process(container, batch(1, life(1, at), at), at + attempt * 60, attempt=f"attempt {attempt}")
            except CrashError:
                container = one.container(faults)
            except PublishFailed:
                if cold:
                    container = one.container(faults)
            else:
                break
    return one


@pytest.mark.matrix
def test_a_call_that_fails_loses_no_report_and_sends_one_more_at_most() -> None:
    """Every call, in every way, in a warm and in a new container."""
    faults = Faults()
    assert len(reports(_run(faults, cold=False))) == 1
    cells = [
        (number, fault, cold)
        for number in range(len(faults.calls))
        for fault in Fault
        for cold in (False, True)
    ]
    for number, fault, cold in some(cells, 40, "learning-report"):
        sent = reports(_run(Faults(number, fault), cold=cold))
        lost_answer = "Sink" in faults.calls[number] or "confirm" in faults.calls[number]
        assert 1 <= len(sent) <= (2 if lost_answer else 1), (faults.calls[number], fault, cold)


def test_without_the_table_no_report_is_sent() -> None:
    """Each container would send it."""
    one = learned("web")
    one.roles.is_away = True
    live(one, range(DUE, DUE + 1))
    assert reports(one) == []
    one.roles.is_away = False
    one.claims.away = {"claim"}
    live(one, range(DUE + 1, DUE + 2))
    assert reports(one) == []
    one.claims.away = set()
    live(one, range(DUE + 2, DUE + 3))
    assert len(reports(one)) == 1


def test_the_report_is_a_json_document() -> None:
    """Like all notifications."""
    one = learned("web")
    live(one, range(DUE, DUE + 1))
    assert json.loads(json.dumps(reports(one)[0].document))["kind"] == "learning-report"
