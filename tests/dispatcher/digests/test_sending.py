"""When digests are sent: once, though runs end at any call, come twice, or are late."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from moto import mock_aws

from flowwarden.aws.dynamodb.claims import DynamoDbClaims
from flowwarden.aws.dynamodb.digests import DynamoDbDigests
from flowwarden.dispatcher.digests import CATCH_UP, DigestSender
from flowwarden.notify.alert import Route
from flowwarden.notify.claims import Owner
from flowwarden.notify.delivery import DeliveryReport
from flowwarden.notify.run import Run
from flowwarden.state import digests
from flowwarden.state.digests import DAY_SETTLE, GRACE, SETTLE, Content, Digests, Source
from flowwarden.state.ports import DigestStore
from flowwarden.state.sets import DAY, HOUR
from tests.aws.clients import make_state_table, shared
from tests.dispatcher.digests.examples import DAY as TODAY
from tests.dispatcher.digests.examples import PLACE, hour
from tests.dispatcher.test_dispatch import TABLE, TERMS, Calls, Interrupted
from tests.monitor.fakes_state import MemoryDigests
from tests.notify.fakes import CrashError, MemorySink
from tests.state.test_digests import KNOCK, SWEEP
from tests.state.test_digests import hour as groups

NOON = TODAY * 24 + 12
DUE = digests.closes_at(NOON) + SETTLE
"""When the digest of the hour from noon is due."""
DAY_DUE = (TODAY + 1) * DAY + GRACE + DAY_SETTLE
NOISE = hour([Source("203.0.113.9", 9, 3, ())], [], 50, 500)


@pytest.fixture(autouse=True)
def table() -> Iterator[None]:
    """The state table."""
    with mock_aws():
        make_state_table(TABLE)
        yield


@dataclass
class Stack:
    """Digests on the state table."""

    which: Digests = Digests.HOURLY_AND_DAILY
    sink: MemorySink = field(default_factory=lambda: MemorySink(name="memory:operations"))
    runs: int = 0

    def __post_init__(self) -> None:
        """The ports, and a container."""
        self.store: DigestStore = DynamoDbDigests(shared("dynamodb"), TABLE)
        self.claims = DynamoDbClaims(shared("dynamodb"), TABLE, TERMS)
        self.warm = self.container()

    def container(self, calls: Calls | None = None) -> DigestSender:
        """A new container; it ends at one of its calls."""
        ports: list[Any] = [self.store, self.claims, self.sink]
        store, claims, sink = [Interrupted(each, calls) for each in ports] if calls else ports
        return DigestSender(store, claims, {Route.OPERATIONS: (sink,)}, self.which, PLACE)

    def add(self, at: int, content: Content) -> None:
        """What a monitor stores of an hour."""
        self.store.add(digests.key_of(at), content, at * HOUR + DAY)

    def run(self, now: int, container: DigestSender | None = None, left: float = 60) -> DeliveryReport | None:
        """A run; None if the function ended."""
        self.runs += 1
        name = f"run {self.runs}"
        run = Run(owner=Owner(name, name), at=now, time_left=lambda: left)
        try:
            return (container or self.warm).send(run)
        except CrashError:
            return None

    @property
    def sent(self) -> list[tuple[str, Any]]:
        """The kind of each digest, and its hour or day."""
        return [
            (each.document["kind"], each.document.get("begin") or each.document.get("day"))
            for each in self.sink.sent
        ]


BOTH = {"hourly-digest", "daily-digest"}
HOURLY = ("hourly-digest", NOON * HOUR)


def test_an_hour_is_sent_once_when_it_is_closed() -> None:
    """Not before, and not again by this or another container."""
    stack = Stack()
    stack.add(NOON, groups((SWEEP, "a")))
    stack.run(DUE - 1)
    assert stack.sent == []
    for after in range(0, 5 * HOUR, HOUR):
        stack.run(DUE + after)
        stack.run(DUE + after, stack.container())
    assert stack.sent == [HOURLY]


def test_a_day_is_sent_once_when_its_last_hour_is_closed() -> None:
    """Until the end of the next day, whichever container runs."""
    stack = Stack()
    stack.add(NOON, NOISE)
    stack.run(DAY_DUE - 1)
    assert stack.sent == []
    for after in range(0, 2 * DAY, 6 * HOUR):
        stack.run(DAY_DUE + after, stack.container())
    assert stack.sent == [("daily-digest", "2025-11-08")]


def test_nothing_to_say_is_not_sent() -> None:
    """Neither an hour without groups, although findings were suppressed, nor a day without REJECTs."""
    stack = Stack()
    kept = frozenset([digests.count_number(digests.Kept.SUPPRESSED, "a", 3)])
    stack.add(NOON, groups(kept=kept))
    for now in (DUE, DAY_DUE):
        assert stack.run(now) == DeliveryReport()
    assert stack.sent == []


@pytest.mark.parametrize(
    ("which", "kinds"),
    [(Digests.HOURLY_AND_DAILY, BOTH), (Digests.DAILY, {"daily-digest"}), (Digests.NONE, set())],
)
def test_only_the_configured_digests_are_sent(which: Digests, kinds: set[str]) -> None:
    """The parameter `Digests`."""
    stack = Stack(which)
    stack.add(NOON, groups((SWEEP, "a")).joined(NOISE))
    stack.run(DUE)
    stack.run(DAY_DUE)
    assert {kind for kind, _ in stack.sent} == kinds


def test_late_findings_are_in_the_next_digest_without_the_batches_that_were_sent() -> None:
    """A batch that comes again after its hour was sent is not repeated."""
    stack = Stack()
    stack.add(NOON, groups((SWEEP, "a")))
    stack.run(DUE)
    stack.add(NOON + 1, groups((SWEEP, "a"), (KNOCK, "late")))
    stack.run(DUE + HOUR)
    assert stack.sent == [HOURLY, ("hourly-digest", (NOON + 1) * HOUR)]
    (group,) = stack.sink.sent[1].document["groups"]
    assert group["detector"] == KNOCK.detector


def test_hours_without_a_dispatcher_are_sent_later() -> None:
    """The last six; older ones are not news."""
    stack = Stack()
    for at in range(NOON - 10, NOON + 1):
        stack.add(at, groups((SWEEP, f"{at}")))
    stack.run(DUE)
    assert stack.sent == [("hourly-digest", at * HOUR) for at in range(NOON - CATCH_UP + 1, NOON + 1)]


@pytest.mark.matrix(4)
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(6))
def test_a_run_that_ends_at_any_call_loses_nothing_and_repeats_once(at: int, *, after: bool) -> None:
    """Later runs send it; after a crash between sending and marking, once more."""
    stack = Stack()
    stack.add(NOON, groups((SWEEP, "a")))
    stack.run(DUE, stack.container(Calls(at=at, after=after)))
    for minute in (1, 2, 13, 14, 70):
        stack.run(DUE + minute * 60, stack.container())
    assert 1 <= len(stack.sent) <= 2
    assert set(stack.sent) == {HOURLY}


def test_two_runs_at_once_send_one_digest() -> None:
    """While one sends, the other finds its claim."""
    stack = Stack()
    stack.add(NOON, groups((SWEEP, "a")))
    other = stack.container()

    class Slow(MemorySink):
        def send(self, notification: Any) -> None:
            stack.run(DUE, other)
            super().send(notification)

    stack.sink = Slow(name="memory:operations")
    stack.run(DUE, stack.container())
    for minute in range(1, 10):
        stack.run(DUE + minute * 60, other)
    assert stack.sent == [HOURLY]


def test_a_digest_that_is_refused_is_sent_later() -> None:
    """The run reports it as unsent."""
    stack = Stack()
    stack.add(NOON, groups((SWEEP, "a")))
    stack.sink.away = True
    report = stack.run(DUE)
    assert report is not None
    assert len(report.unsent) == 1
    stack.sink.away = False
    stack.run(DUE + 60)
    assert stack.sent == [HOURLY]


def test_without_time_or_table_a_later_run_sends_it() -> None:
    """Nothing is called with little time left."""
    stack = Stack()
    stack.store = memory = MemoryDigests(is_away=True)
    container = stack.container()
    assert stack.run(DUE, container) == DeliveryReport(state_unavailable=1)
    memory.is_away = False
    stack.add(NOON, groups((SWEEP, "a")))
    assert stack.run(DUE, container, left=5) == DeliveryReport()
    assert memory.reads == 0
    stack.run(DUE + 60, container)
    assert stack.sent == [HOURLY]


def test_a_container_reads_an_hour_and_a_day_once() -> None:
    """An idle run reads nothing."""
    stack = Stack()
    stack.store = memory = MemoryDigests()
    container = stack.container()
    for minute in range(60):
        stack.run(DUE + minute * 60, container)
    assert memory.reads == CATCH_UP + 1
    stack.run(DUE + HOUR, container)
    assert memory.reads == CATCH_UP + 2
