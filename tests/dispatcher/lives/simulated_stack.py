"""Some hours of a stack with two receivers of pages: batches, the dispatcher and digests, with mishaps.

Each call of a port is numbered. A mishap makes a call fail, ends the function before or after it, or lets a
second dispatcher run from begin to end before it.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from msgspec import Struct

from flowwarden.dispatcher.digests import DigestSender
from flowwarden.dispatcher.dispatch import Dispatcher
from flowwarden.dispatcher.pending import Limited, with_budget
from flowwarden.errors import PublishFailed, PublishUnanswered, StateUnavailable
from flowwarden.notify.alert import Route
from flowwarden.notify.claims import Owner
from flowwarden.notify.notification import Notification
from flowwarden.notify.notifier import notify
from flowwarden.notify.run import Run
from flowwarden.state import digests, watermarks
from flowwarden.state.digests import Digests
from flowwarden.state.sets import DAY, HOUR
from tests.dispatcher.digests.examples import PLACE
from tests.dispatcher.lives.scenario import (
    BATCHES,
    DIGEST_HOUR,
    END,
    GROUP,
    MINUTES,
    RETRIES,
    SEEN,
    Batch,
    alert_of,
)
from tests.faults import Fault, Faults
from tests.notify.fakes import CrashError, MemorySink
from tests.state.test_digests import SWEEP
from tests.state.test_digests import hour as hour_of

TRACKER: Final = "tracker"
"""A receiver whose service tracks incidents, so that it gets each end by itself."""
TABLE_AWAY: Final = StateUnavailable("unavailable in the test")
SINK_AWAY: Final = {
    Fault.REFUSED: PublishFailed("refused by the test"),
    Fault.UNANSWERED: PublishUnanswered("read timeout, by the test"),
}


class Sent(Struct, frozen=True):
    """A notification that arrived."""

    at: int
    """Unix seconds."""
    clock: int
    """The same by the clock of the function that sent it."""
    sink: str
    event: str
    """`page`, `roll-up`, `resolved`, or the kind of a digest."""
    what: str
    """Identifies the notification: two with the same text are copies."""
    keys: tuple[str, ...]
    """The incidents that it is about."""
    critical: bool


class Outage(Struct, frozen=True):
    """A sink that fails for some time."""

    sink: str
    begin: int
    """Unix seconds."""
    end: int
    error: PublishFailed


class Mishaps(Faults):
    """Several calls that fail, and several before which another dispatcher runs."""

    def __init__(self, failing: Mapping[int, Fault], others: Collection[int] = ()) -> None:
        super().__init__()
        self._failing = failing
        self._others = others
        self.other: Callable[[], None] = lambda: None
        """Runs the other dispatcher."""
        self.hit: list[tuple[str, Fault]] = []
        """The calls that failed."""

    def call(self, name: str, made: Callable[[], Any], errors: Mapping[Fault, Exception] | Exception) -> Any:
        """Make a call, unless it is one that fails."""
        at = len(self.calls)
        self.number, self.fault = (at, self._failing[at]) if at in self._failing else (-1, Fault.REFUSED)
        if at in self._others:
            self.other()
        self.hit += [(name, self.fault)] if self.number >= 0 else []
        return super().call(name, made, errors)


class Ports(Struct, frozen=True):
    """The table of a stack, as its functions see it."""

    claims: Any
    incidents: Any
    evidence: Any
    pages: Any
    digests: Any

    def failing(self, faults: Faults) -> Ports:
        """The same ports, whose calls can fail."""
        return Ports(
            *(faults.port(getattr(self, name), TABLE_AWAY) for name in self.__struct_fields__),
        )


class _Receiver(MemorySink):
    """A sink that notes when each notification arrived; it fails as long as the stack says."""

    def __init__(self, name: str, stack: SimulatedStack) -> None:
        super().__init__(name=name)
        self._stack = stack
        self.tracks_incidents = name == TRACKER

    def send(self, notification: Notification) -> None:
        """See the port."""
        outage = self._stack.outage
        if outage is not None and outage.sink == self.name and outage.begin <= self._stack.now < outage.end:
            raise outage.error
        self._stack.sent.append(_noted(self.name, self._stack.now, self._stack.clock, notification))


def _noted(sink: str, now: int, clock: int, notification: Notification) -> Sent:
    document, event = notification.document, notification.attributes.get("event", "")
    if "limit" in document:
        keys, event = tuple(each.removesuffix(".") for each in document["listed"]), "roll-up"
    elif event == "resolved":
        keys = tuple(each["incident"] for each in document.get("incidents", [document]))
    else:
        keys = (document["incident"],) if "incident" in document else ()
        event = "page" if keys else document["kind"]
    what = notification.subject if event != "resolved" else f"resolved {','.join(sorted(keys))}"
    what = f"{document['incident']} roll-up" if event == "roll-up" else what
    what += "".join(f", {each['batches_at_least']} batches" for each in document.get("groups", ()))
    return Sent(now, clock, sink, event, what, keys, notification.attributes["severity"] == "critical")


@dataclass
class SimulatedStack:
    """A stack, the time, and what arrived."""

    ports: Ports
    mishaps: Mishaps
    skew: int = 0
    """Seconds by which the clock of the dispatcher is ahead of the monitor's."""
    twice: bool = False
    """Whether each batch is delivered twice."""
    pagers: tuple[str, ...] = ("chat", "mail")
    """The receivers of pages."""
    outage: Outage | None = None
    more: tuple[Batch, ...] = ()
    """Batches besides those of the scenario."""
    now: int = 0
    clock: int = 0
    """The time by the clock of the function that runs."""
    sent: list[Sent] = field(default_factory=list)
    runs: int = 0
    failed: int = 0
    """Attempts at batches that were not enough."""
    calls: int = 0
    """Calls before `END`."""

    def __post_init__(self) -> None:
        """The receivers, and a warm container of the dispatcher."""
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._sinks = {name: _Receiver(name, self) for name in (*self.pagers, "operations")}
        self._warm: DigestSender | None = None
        self.mishaps.other = self._dispatch_beside

    def live(self) -> SimulatedStack:
        """Process all batches, run the dispatcher, and then let it finish without mishaps."""
        self._add_digests()
        for batch in (*BATCHES, *self.more):
            for delay in (0, 1) if self.twice else (0,):
                self._at(batch.at + delay, partial(self._process, batch, 0))
        for at in SEEN:
            self._at(at, partial(self._see, at))
        for at in MINUTES:
            self._at(at, lambda: self._dispatch(self.mishaps))
        self._run()
        self.calls = len(self.mishaps.calls)
        for number in range(1, 40):
            self._at(END + 600 * number, partial(self._see, END + 600 * number))
            self._at(END + 600 * number + 60, lambda: self._dispatch(Mishaps({}), warm=False))
        self._run()
        return self

    def _at(self, at: int, action: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (at, len(self._queue) + 1000 * self.runs, action))

    def _run(self) -> None:
        while self._queue:
            self.now, _, action = heapq.heappop(self._queue)
            self.runs += 1
            action()

    def _process(self, batch: Batch, attempt: int) -> None:
        """An attempt at a batch; a failed one is repeated later."""
        ports, self.clock = self.ports.failing(self.mishaps), self.now
        owner = Owner(batch.name, f"{batch.name} {attempt} {self.runs}")
        run = with_budget(Run(owner=owner, at=self.now, time_left=lambda: 60.0), Limited(ports.pages))
        try:
            report = notify(
                [alert_of(*each, batch.at) for each in batch.alerts], run, ports.claims,
                self._routes(self.mishaps), lambda rest: rest[0],
            )  # fmt: skip
            done = report.is_final
        except CrashError:
            done = False
        if not done:
            self.failed += 1
            at = batch.at + RETRIES[attempt]
            self._at(max(at, self.now + 1), lambda: self._process(batch, attempt + 1))

    def _dispatch(self, mishaps: Faults, *, warm: bool = True) -> None:
        """A run of the dispatcher. After a crash, its container is new."""
        ports, routes = self.ports.failing(mishaps), self._routes(mishaps)
        self.clock = now = self.now + self.skew
        sender: DigestSender | None = self._warm if warm else None
        which = Digests.HOURLY_AND_DAILY
        sender = sender or DigestSender(ports.digests, ports.claims, routes, which, PLACE)
        dispatcher = Dispatcher(
            ports.incidents, ports.claims, ports.evidence, routes, Limited(ports.pages), sender
        )
        self.runs += 1
        try:
            dispatcher.run(f"run {self.runs}", now, lambda: 60.0)
        except CrashError:
            sender = None
        if warm:
            self._warm = sender

    def _dispatch_beside(self) -> None:
        """Another dispatcher runs from begin to end while this function is at a call."""
        before = self.clock
        self._dispatch(Mishaps({}), warm=False)
        self.clock = before

    def _routes(self, faults: Faults) -> Any:
        *pagers, operations = (faults.port(each, SINK_AWAY) for each in self._sinks.values())
        return {Route.PAGES: tuple(pagers), Route.OPERATIONS: (operations,)}

    def _see(self, at: int) -> None:
        """Records until this time were processed."""
        self.ports.evidence.add(watermarks.addition(GROUP, watermarks.slot_of(at)))

    def _add_digests(self) -> None:
        """What the monitor stores of an hour: the same batch twice, and another one."""
        for batch in ("one", "two", "one"):
            self.ports.digests.add(
                digests.key_of(DIGEST_HOUR), hour_of((SWEEP, batch)), DIGEST_HOUR * HOUR + 3 * DAY
            )
