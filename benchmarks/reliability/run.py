"""Delivers batches to the monitor's handler on fakes as Lambda does: a failed batch is delivered again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import Any, Final

from msgspec import Struct

import monitor
from benchmarks.reliability.poison import FAULTS, Delivery, Poison, event_of
from benchmarks.reliability.traffic import GROUP
from flowwarden.errors import PayloadError
from flowwarden.notify.notification import Notification
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT
from flowwarden.settings import MonitorSettings
from tests.faults import Faults
from tests.functions.captured import captured
from tests.functions.test_monitor_events import ENVIRONMENT, Context
from tests.hostile import is_visible, texts
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.fakes_log_formats import FakeFormats
from tests.monitor.scenarios import RETRIES, Account
from tests.notify.fakes import CrashError

COUNTED: Final = "Flows", "NoData", "SkipData", "Malformed"
"""Metrics that add up to the lines of a batch."""


class Done(Struct, frozen=True):
    """The result of a delivery."""

    delivery: Delivery
    lines: int
    """Lines of the payload; 0 if it cannot be read."""
    counts: Mapping[str, int] | None
    """The handler's result; None if it rejected the payload as a whole in all three attempts."""
    attempts: int
    writes: int
    """The maximum writes of an attempt."""
    failed_call: str = ""
    """The call that failed as planned; '' if none did."""
    calls: int = 0

    @property
    def accounted(self) -> int:
        """The number of lines that the result counts."""
        return sum(self.counts[name] for name in COUNTED) if self.counts else 0


class Sent(Struct, frozen=True):
    """A notification that reached a topic."""

    at: int
    topic: str
    detector: str
    incident: str
    hosts: tuple[str, ...]
    visible: bool
    """Whether all its text consists of lines of printable characters."""


class Outcome(Struct, frozen=True):
    """A whole run."""

    done: tuple[Done, ...]
    sent: tuple[Sent, ...]
    log_is_visible: bool
    """Whether the function's log consists of lines of printable characters."""
    undelivered: tuple[str, ...]
    """Batches of which all attempts failed, except payloads that cannot be read."""


@dataclass
class Function:
    """The monitor's containers, one after the other, on an account."""

    account: Account
    faults: Faults = field(default_factory=Faults)
    now: int = 0
    sent: list[Sent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Start a new container."""
        settings = MonitorSettings.from_mapping(ENVIRONMENT)
        service = self.account.container(self.faults)
        self._handle = monitor.make_handler(lambda: (settings, service), lambda: float(self.now))

    @property
    def writes(self) -> int:
        """Writes to the state table so far."""
        return self.account.evidence.writes + self.account.claims.calls

    def invoke(self, event: dict[str, Any], now: int) -> dict[str, Any]:
        """Make one attempt. Raises what the handler raises."""
        context: Any = Context()
        self.now = now
        try:
            return self._handle(event, context)
        finally:
            self._collect()

    def _collect(self) -> None:
        for name, sink in (("pages", self.account.pages), ("operations", self.account.operations)):
            self.sent += [_sent(name, each, self.now) for each in sink.sent]
            sink.sent.clear()


@dataclass
class _Attempts:
    """A delivery, and the attempts that were made to process it."""

    delivery: Delivery
    event: dict[str, Any]
    made: int = 0
    writes: int = 0
    calls: int = 0
    failed_call: str = ""


class _Run:
    """The queue of Lambda's asynchronous invocations, by time; a failed invocation returns to the queue."""

    def __init__(self, calls: Mapping[int, int]) -> None:
        self.function = Function(_account())
        self.done: list[Done] = []
        self.undelivered: list[str] = []
        self._calls = calls
        self._queue: list[tuple[int, int, _Attempts]] = []
        self._order = count()

    def enqueue(self, at: int, each: _Attempts) -> None:
        """Add a delivery, to process it at a time (Unix seconds)."""
        heappush(self._queue, (at, next(self._order), each))

    def work(self) -> None:
        """Process all deliveries, until the queue is empty."""
        while self._queue:
            at, _, each = heappop(self._queue)
            self._attempt(at, each)

    def _attempt(self, at: int, each: _Attempts) -> None:
        function, first, before = self.function, len(self.function.faults.calls), self.function.writes
        if not each.made:
            self._arm(each.delivery, first)
        result, error = None, None
        try:
            result = function.invoke(each.event, at)
        except (Exception, CrashError) as raised:  # noqa: BLE001 - the run says how each attempt ended
            error = raised
        calls, number = function.faults.calls, function.faults.number
        each.failed_call = each.failed_call or (calls[number] if first <= number < len(calls) else "")
        function.faults.number = -1
        each.made += 1
        each.calls = each.calls or len(calls) - first
        each.writes = max(each.writes, function.writes - before)
        self._after(at, each, result, error)

    def _arm(self, delivery: Delivery, first: int) -> None:
        """Plan the failure of a call of this attempt."""
        if delivery.poison in FAULTS:
            faults = self.function.faults
            faults.fault = FAULTS[delivery.poison]
            faults.number = first + int(delivery.call * self._calls.get(delivery.batch.number, 1))

    def _after(
        self, at: int, each: _Attempts, result: dict[str, Any] | None, error: BaseException | None
    ) -> None:
        if error is not None and (each.delivery.cold or isinstance(error, CrashError)):
            self.function.restart()
        if error is not None and each.made < len(RETRIES):
            self.enqueue(at + RETRIES[each.made] - RETRIES[each.made - 1], each)
            return
        if error is not None and not isinstance(error, PayloadError):
            self.undelivered.append(f"batch {each.delivery.batch.number}: {error!r}")
        lines = 0 if each.delivery.poison is Poison.PAYLOAD else len(each.delivery.batch.lines)
        self.done.append(
            Done(each.delivery, lines, result, each.made, each.writes, each.failed_call, each.calls)
        )


def run(deliveries: Sequence[Delivery], calls: Mapping[int, int] | None = None) -> Outcome:
    """Deliver everything.

    Args:
        deliveries: all deliveries, in any order.
        calls: the number of calls that each batch makes, by the batch's number; required if calls fail.
    """
    whole = _Run(calls or {})
    for each in deliveries:
        event = event_of(each)
        whole.enqueue(each.batch.at, _Attempts(each, event))
        if each.doubled_after is not None:
            whole.enqueue(each.batch.at + each.doubled_after, _Attempts(each, event))
    with captured(monitor.logger, metrics=True) as log:
        whole.work()
    sent = tuple(whole.function.sent)
    return Outcome(tuple(whole.done), sent, is_visible(log.getvalue()), tuple(whole.undelivered))


def _sent(topic: str, one: Notification, at: int) -> Sent:
    document = one.document
    hosts = [
        each["name"] for side in ("clients", "servers") for each in document.get(side, {}).get("top", ())
    ]
    visible = is_visible(one.text) and one.subject.isprintable() and all(map(is_visible, texts(document)))
    return Sent(at, topic, one.attributes["detector"], document["incident"], tuple(hosts), visible)


def _account() -> Account:
    known = [interface(f"eni-{number:017x}") for number in range(1, 60)]
    formats = FakeFormats({GROUP: [DEFAULT_LOG_FORMAT.to_log_format()]})
    return Account(directory=FakeDirectory.of(*known), formats=formats)


def copies(sent: Sequence[Sent]) -> Counter[tuple[str, str]]:
    """The number of times that each incident was sent, by topic and incident."""
    return Counter((each.topic, each.incident) for each in sent)
