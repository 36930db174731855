"""Days of an account: batches go to the monitor's service, and the dispatcher runs in the minutes between."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from flowwarden.dispatcher.dispatch import Dispatcher
from flowwarden.monitor.pipeline import Invocation
from flowwarden.notify.alert import Route
from flowwarden.records.model import Flow
from flowwarden.records.subscription import LogBatch
from tests.dispatcher.memory import MemoryIncidents
from tests.faults import Faults
from tests.monitor.scenarios import GROUP, Account, line_of
from tests.monitor.weeks import TODAY, got

HOUR: Final = 3600
DAY: Final = 24 * HOUR
WINDOW: Final = 600
"""Seconds of traffic in a batch."""
LONG: Final = 1800
"""The same where it makes no difference, which takes less time."""
LATE: Final = 240
"""Seconds from the end of a window until its batch arrives."""


@dataclass(frozen=True)
class Sent:
    """A notification."""

    at: int
    """Unix seconds."""
    event: str
    incidents: tuple[str, ...]


@dataclass
class Days:
    """An account, one container of the monitor, and the dispatcher."""

    account: Account
    sent: list[Sent] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin before the first batch."""
        account = self.account
        self._container = account.container(Faults())
        self._sinks = account.pages, account.operations
        self._incidents = MemoryIncidents(account.claims)
        routes = {Route.PAGES: (account.pages,), Route.OPERATIONS: (account.operations,)}
        self._dispatcher = Dispatcher(self._incidents, account.claims, account.evidence, routes)
        self._minute = 0

    def run(self, batches: Iterable[tuple[LogBatch, int]]) -> Days:
        """Deliver batches at their times."""
        for batch, now in batches:
            self.dispatch(now)
            self._container.process(batch, Invocation(f"{batch.batch_id} {now}", lambda: 60.0), now)
            self._note(now)
        return self

    def dispatch(self, until: int) -> Days:
        """Run the dispatcher in each minute until then in which an incident is due."""
        while (minute := max(-(-self._incidents.next_check // 60) * 60, self._minute + 60)) <= until:
            self._minute = minute
            self._dispatcher.run(str(minute), minute, lambda: 60.0)
            self._note(minute)
        return self

    @property
    def events(self) -> list[str]:
        """What was sent, in its order."""
        return [each.event for each in self.sent]

    @property
    def keys(self) -> set[str]:
        """The incidents of which anything was sent."""
        return {key for each in self.sent for key in each.incidents}

    def when(self, event: str) -> list[int]:
        """The times at which such notifications were sent."""
        return [each.at for each in self.sent if each.event == event]

    def _note(self, now: int) -> None:
        for sink in self._sinks:
            for each in sink.sent:
                listed = each.document.get("incidents", [each.document])
                keys = tuple(one["incident"] for one in listed if "incident" in one)
                self.sent.append(Sent(now, each.document.get("event", each.document["kind"]), keys))
            sink.sent.clear()


def batch_of(number: object, flows: Sequence[Flow], stream: str = "eni-1-all") -> LogBatch:
    """A batch with this id."""
    return LogBatch("111122223333", GROUP, stream, tuple(map(line_of, flows)), f"batch{number}")


def ordinary(at: int) -> list[Flow]:
    """What the host does in each window."""
    return got("10.0.3.1", 5432, at)


def windows(
    begin: int, end: int, also: Iterable[tuple[int, Sequence[Flow]]] = (), window: int = WINDOW
) -> list[tuple[LogBatch, int]]:
    """A batch for each window of ordinary traffic, with other flows in the windows of their times."""
    others: dict[int, list[Flow]] = {}
    for at, flows in also:
        others.setdefault(at // window, []).extend(flows)
    return [
        (batch_of(at, [*ordinary(at), *others.get(at // window, [])]), at + window + LATE)
        for at in range(begin, end, window)
    ]


def disturbed(batches: Sequence[tuple[LogBatch, int]], seed: int, latest: int) -> list[tuple[LogBatch, int]]:
    """The same batches, each up to `latest` seconds late and delivered twice, in the order of arrival."""
    random = Random(seed)  # noqa: S311 - not for secrets
    twice = [(batch, at + random.randrange(latest)) for batch, at in batches for _ in range(2)]
    return sorted(twice, key=lambda each: each[1])


BEGIN: Final = TODAY + 2 * HOUR
