"""The budget for pages under faults: crashes at any step, runs at the same time, retries, hours and days.

However runs end or overlap, no hour and no day has more different notifications than its limit, and each
incident is sent or held with a roll-up, to each sink.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from flowwarden.aws.dynamodb.claims import DynamoDbClaims
from flowwarden.aws.dynamodb.page_budget import DynamoDbPageBudget
from flowwarden.notify import held
from flowwarden.notify.alert import Alert, Route
from flowwarden.notify.claim_request import ClaimRequest
from flowwarden.notify.claims import Claim, ClaimKey, ClaimTerms, Owner
from flowwarden.notify.delivery import DeliveryReport
from flowwarden.notify.notification import Notification
from flowwarden.notify.notifier import notify
from flowwarden.notify.page_budget import Limit, PageLimits
from flowwarden.notify.ports import Claims, PageBudget
from flowwarden.notify.run import Budgeted, Run
from flowwarden.state.schema import INCIDENTS
from flowwarden.state.sets import DAY, HOUR
from tests.aws.dynamodb.damage import TABLE, dynamodb, empty
from tests.examples import examples
from tests.notify.fakes import CrashError, MemoryClaims
from tests.notify.fakes_budget import MemoryPageBudget
from tests.notify.test_over_budget import PLACE, alert

MIDNIGHT = 1_764_000_000 // DAY * DAY
TERMS = ClaimTerms(suppression=2 * HOUR, lease=50)
LIMITS = PageLimits(hour=2, day=5, critical_hour=1)
SINKS = ("chat", "mail")
RETRIES = 14
"""Retries of a batch, far enough apart for each lease, and for what waits after unanswered attempts."""


class Batch(Struct, frozen=True):
    """The alerts of one batch, and when it is processed."""

    name: str
    at: int
    alerts: tuple[tuple[str, str], ...]
    """Keys and severities."""


@dataclass
class SimulatedStack:
    """Two sinks and one table. Each call is two steps; a step may end the run, or run another batch first."""

    claims: Claims
    pages: PageBudget
    crashes: set[int] = field(default_factory=set)
    others: dict[int, Batch] = field(default_factory=dict)
    """Batches that another function processes at a step of the first one."""
    at: int = 0
    steps: int = 0
    single: list[tuple[str, int, str, bool]] = field(default_factory=list)
    """Single pages: sink, time, notification, whether it is critical."""
    sent_singly: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Incidents by sink that were sent singly."""
    roll_ups: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By sink and incident key."""
    marked: set[tuple[str, str]] = field(default_factory=set)
    """Sinks and incidents that were stored as held."""

    def step(self) -> None:
        """What happens at this point of the program."""
        self.steps += 1
        if self.steps in self.crashes:
            raise CrashError
        if other := self.others.pop(self.steps, None):
            before = self.at
            self.process(other, other.at)
            self.at = before

    def process(self, batch: Batch, at: int, attempt: str = "1") -> DeliveryReport | None:
        """One attempt at a batch; None if it crashes."""
        self.at = at
        budget = Budgeted(pages=_Stepping(self, self.pages), roll_up=self._about(at))
        run = Run(owner=Owner(batch.name, attempt), at=at, time_left=lambda: 40.0, budget=budget)
        sinks = [_Sink(name, self) for name in SINKS]
        try:
            return notify(
                [_alert(*each) for each in batch.alerts], run, _Stepping(self, self.claims),
                {Route.PAGES: sinks}, lambda rest: rest[0],
            )  # fmt: skip
        except CrashError:
            return None

    def note(self, request: ClaimRequest) -> None:
        """Note an incident that is stored as held."""
        if request.incident is not None and request.incident.held:
            self.marked.add((request.key.sink, request.key.incident))

    def _about(self, now: int) -> Callable[[Sequence[Alert], Limit], Alert]:
        return lambda several, limit: held.roll_up(several, limit, PLACE, now)


def _alert(key: str, severity: str) -> Alert:
    def render(claim: Claim) -> Notification:
        """The subject names the notification: the incident, and when the one before was sent."""
        return Notification(
            subject=f"{key}@{claim.last_sent}", text="", document={}, attributes={"severity": severity}
        )

    return replace(alert(key, severity), render=render)


@dataclass
class _Sink:
    name: str
    stack: SimulatedStack

    def send(self, notification: Notification) -> None:
        """Note what arrives."""
        self.stack.step()
        if "limit" in notification.document:
            self.stack.roll_ups[self.name, notification.document["incident"]] += 1
        else:
            key, critical = notification.subject, notification.attributes["severity"] == "critical"
            self.stack.single.append((self.name, self.stack.at, key, critical))
            self.stack.sent_singly[self.name].add(key.partition("@")[0])
        self.stack.step()


class _Stepping:
    """A port, each call of which is two steps."""

    def __init__(self, stack: SimulatedStack, port: Any) -> None:
        self._stack = stack
        self._port = port

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            self._stack.step()
            answer = getattr(self._port, name)(*arguments)
            if name == "confirm":
                self._stack.note(arguments[0])
            self._stack.step()
            return answer

        return call


ALERTS = st.lists(
    st.tuples(st.sampled_from("abcdefghij"), st.sampled_from(["high", "high", "high", "critical"])),
    min_size=1, max_size=6, unique_by=lambda each: each[0],
).map(tuple)  # fmt: skip
TIMES = st.sampled_from([0, 60, HOUR - 1, HOUR, HOUR + 60, 2 * HOUR, 23 * HOUR, DAY - 1, DAY, DAY + 3 * HOUR])
BATCHES = st.lists(st.tuples(TIMES, ALERTS), min_size=1, max_size=6)
STEPS = st.sets(st.integers(1, 120), max_size=3)
OTHERS = st.dictionaries(st.integers(1, 120), ALERTS, max_size=3)


def play(stack: SimulatedStack, batches: Iterable[tuple[int, Any]]) -> list[Batch]:
    """Process batches in the order of their times, with their retries; returns those that were processed."""
    done = [Batch(f"b{number}", MIDNIGHT + at, some) for number, (at, some) in enumerate(sorted(batches))]
    for batch in done:
        report = stack.process(batch, batch.at)
        for retry in range(1, RETRIES):
            if report is not None and report.is_final:
                break
            report = stack.process(batch, batch.at + retry * 1000, str(retry))
        assert report is not None
        assert not report.unsent
    return done


def check(stack: SimulatedStack, batches: Iterable[Batch], faults: int) -> None:
    """The invariants."""
    hours, days = defaultdict[Any, list[str]](list), defaultdict[Any, list[str]](list)
    for sink, at, notification, critical in stack.single:
        hours[sink, at // HOUR, critical].append(notification)
        if not critical:
            days[sink, at // DAY].append(notification)
    for (_, _, critical), sent in hours.items():
        most = LIMITS.critical_hour if critical else LIMITS.hour
        assert len(set(sent)) <= most
        assert len(sent) <= most + faults
    for sent in days.values():
        assert len(set(sent)) <= LIMITS.day
    assert all(count <= 1 + faults for count in stack.roll_ups.values())
    for key in {key for batch in batches for key, _ in batch.alerts}:
        for sink in SINKS:
            listed = (sink, key) in stack.marked and any(name == sink for name, _ in stack.roll_ups)
            assert key in stack.sent_singly[sink] or listed or is_pending(stack.claims, ClaimKey(sink, key))


def is_pending(claims: Claims, key: ClaimKey) -> bool:
    """Whether the dispatcher finds the notification of an incident."""
    if isinstance(claims, MemoryClaims):
        item = claims.items[key]
        return item.pending and item.unsent is not None and item.check_at is not None
    partition, sort = INCIDENTS.address(key.sink, key.incident)
    address = {"pk": {"S": partition}, "sk": {"S": sort}}
    stored = dynamodb().get_item(TableName=TABLE, Key=address)["Item"]
    return bool(stored["state"]["S"] == "PENDING") and {"pending", "open", "check_at"} <= stored.keys()


def stack_on(kind: str) -> SimulatedStack:
    """A stack on fakes, or on the table of an emulator."""
    if kind == "memory":
        return SimulatedStack(MemoryClaims(TERMS), MemoryPageBudget(LIMITS))
    empty()
    return SimulatedStack(
        DynamoDbClaims(dynamodb(), TABLE, TERMS), DynamoDbPageBudget(dynamodb(), TABLE, LIMITS)
    )


def run(kind: str, batches: list[tuple[int, Any]], crashes: set[int], others: dict[int, Any]) -> None:
    """Play the batches with these faults, and check the invariants."""
    stack = stack_on(kind)
    stack.crashes = crashes
    first = MIDNIGHT + min(at for at, _ in batches)
    others = {step: Batch(f"o{step}", first, some) for step, some in others.items()}
    stack.others = dict(others)
    done = play(stack, batches)
    retries = [each for step, each in others.items() if step <= stack.steps]
    stack.crashes, stack.others = set(), {}
    for number, batch in enumerate(retries):
        for retry in range(1, RETRIES):
            report = stack.process(batch, first + DAY * 3 + number * HOUR + retry * 1000, f"r{retry}")
            if report is not None and report.is_final:
                break
    check(stack, [*done, *retries], len(crashes) + len(others))


@given(BATCHES, STEPS, OTHERS)
def test_no_fault_exceeds_the_budget_or_loses_an_incident(
    batches: list[tuple[int, Any]], crashes: set[int], others: dict[int, Any]
) -> None:
    """On the fakes."""
    run("memory", batches, crashes, others)


@pytest.mark.usefixtures("state_table")
@examples(0.1)
@given(BATCHES, STEPS, OTHERS)
def test_the_same_holds_on_the_table(
    batches: list[tuple[int, Any]], crashes: set[int], others: dict[int, Any]
) -> None:
    """On an emulator of DynamoDB."""
    run("dynamodb", batches, crashes, others)


@pytest.mark.parametrize("step", range(1, 60))
def test_a_crash_at_each_step(step: int) -> None:
    """Of a batch with single pages, critical ones and held ones."""
    batch = tuple((each, "critical" if each in "ab" else "high") for each in "abcdef")
    run("memory", [(0, batch)], {step}, {})


@pytest.mark.parametrize("step", range(1, 60))
def test_another_run_at_each_step(step: int) -> None:
    """With some of the same incidents, and others."""
    batch = tuple((each, "critical" if each in "ab" else "high") for each in "abcdef")
    other = tuple((each, "critical" if each in "bg" else "high") for each in "bcdghi")
    run("memory", [(0, batch)], set(), {step: other})
