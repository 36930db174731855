"""Runs a scenario: every system under test gets every delivery. A run can be interrupted after each day."""

from __future__ import annotations

import hashlib
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, field

from benchmarks.evaluation.accuracy import Accuracy
from benchmarks.evaluation.generator.model import Delivery, Incident, Network
from benchmarks.evaluation.monitor import Monitor
from benchmarks.evaluation.peers import PEERS, Contacts, Peer
from benchmarks.evaluation.reading import Reading
from benchmarks.evaluation.refusals import Refused, refused
from benchmarks.evaluation.scenarios import Scenario
from benchmarks.evaluation.source import Source, source_of
from benchmarks.evaluation.subject import Judged, Page, Surroundings
from benchmarks.evaluation.tally import Tally
from flowwarden.notify.incident import Event

MONITOR = Monitor.name
LOOK_AT: Final = 50
"""Incidents that are open for too long are looked for after each so many deliveries."""


class Outcome(Struct):
    """The outcome of a scenario."""

    interfaces: int
    """The number of interfaces. It is constant, because each removed instance is replaced."""
    days: int
    """Number of scored days."""
    learning_days: int
    tallies: dict[str, Tally]
    """By the name of the system under test."""
    accuracy: Accuracy = field(default_factory=Accuracy)
    incidents: list[Incident] = field(default_factory=list)
    lines: int = 0
    """Lines of all days."""
    deliveries: int = 0
    seconds: float = 0
    """Processor time."""


class Run:
    """The run of one scenario."""

    def __init__(self, scenario: Scenario, checkpoint: Path | None = None) -> None:
        """Begin, or continue from the checkpoint if there is one of the same scenario."""
        self.scenario = scenario
        self._checkpoint = checkpoint
        self.generator = source_of(scenario.source, scenario.network)
        self._reading = Reading(scenario.network.layout)
        contacts = Contacts(self._reading)
        self._judged: tuple[Judged, ...] = (
            Monitor(surroundings(scenario, lambda: self.generator)),
            *(Peer(name, contacts) for name in PEERS if scenario.peers),
        )
        self.outcome = Outcome(
            interfaces=len(self.generator.interfaces()),
            days=scenario.network.judged_days,
            learning_days=scenario.network.learning_days,
            tallies={each.name: Tally() for each in self._judged},
        )
        if checkpoint is not None and checkpoint.exists():
            self._restore(pickle.loads(checkpoint.read_bytes()))  # noqa: S301 -- this program wrote it

    def finish(self, tell: Callable[[str], None]) -> Outcome:
        """Run the remaining days; `tell` receives a line before each."""
        days = self.scenario.network.days
        while not self.generator.over:
            kind = "learning" if self.generator.learning else "judged"
            tell(f"day {self.generator.day + 1} of {days}, {kind}")
            begin = time.process_time()
            self._day()
            self.outcome.seconds += time.process_time() - begin
            self._save()
        self.outcome.incidents = [*self.generator.labels]
        return self.outcome

    def _day(self) -> None:
        learning, outcome = self.generator.learning, self.outcome
        before = {each.name: each.write_units for each in self._judged}
        listeners = [each for each in self._judged if each.learns or not learning]
        for delivery in self.generator.next_day():
            outcome.lines += len(delivery.lines)
            outcome.deliveries += 1
            for each in listeners:
                sent, tally = each.process(delivery), outcome.tallies[each.name]
                pages = [page for page in sent if page.event != Event.RESOLVED]
                paged = [page for page in pages if page.paged]
                apart = self._refused(paged)
                tally.refused.update(apart.values())
                if learning:
                    tally.while_learning.extend(paged)
                    continue
                scored = [page for page in pages if page not in apart and counts(page, self.scenario.network)]
                self._count(tally, delivery).pages.extend(scored)
                tally.resolved.extend(page for page in sent if page.event == Event.RESOLVED)
            if not learning and delivery.truth:
                outcome.accuracy.look(delivery, self._reading)
            if not learning and outcome.deliveries % LOOK_AT == 0:
                self._look_for_overdue(delivery.arrived)
        if not learning:
            for each in self._judged:
                outcome.tallies[each.name].write_units += each.write_units - before[each.name]

    def _look_for_overdue(self, now: int) -> None:
        for each in self._judged:
            self.outcome.tallies[each.name].overdue.update(each.overdue(now))

    def _refused(self, pages: list[Page]) -> dict[Page, Refused]:
        """The pages about permanently rejected traffic, which have their own gate; see `refusals`."""
        interfaces = self.generator.interfaces() if pages else {}
        return {page: found for page in pages if (found := refused(page, interfaces))}

    @staticmethod
    def _count(tally: Tally, delivery: Delivery) -> Tally:
        tally.records += len(delivery.lines)
        tally.batches += 1
        return tally

    def _save(self) -> None:
        if self._checkpoint is None:
            return
        self._checkpoint.parent.mkdir(parents=True, exist_ok=True)
        states = {each.name: each.state() for each in self._judged}
        whole = fingerprint(self.scenario), self.generator, self.outcome, states
        draft = self._checkpoint.with_suffix(".draft")
        draft.write_bytes(pickle.dumps(whole))
        draft.replace(self._checkpoint)  # so that an interruption keeps the previous one

    def _restore(self, saved: tuple[str, Source, Outcome, dict[str, Any]]) -> None:
        mark, generator, outcome, states = saved
        if mark != fingerprint(self.scenario):
            return
        self.generator, self.outcome = generator, outcome
        for each in self._judged:
            each.restore(states[each.name])


def counts(page: Page, network: Network) -> bool:
    """Whether a page is about a scored day: some deliveries of the last learning day arrive late."""
    return page.at is None or page.at >= network.judged_from


def surroundings(scenario: Scenario, generator: Callable[[], Source]) -> Surroundings:
    """The information about a scenario's network for the systems under test."""
    network = scenario.network
    return Surroundings(network.layout, network.judged_from, lambda: generator().interfaces())


def fingerprint(scenario: Scenario) -> str:
    """The identity of a scenario: its name and all parameters of its network."""
    return hashlib.sha256(repr(scenario).encode()).hexdigest()
