"""Runs a scenario: every delivery goes to all who are judged; after each day it can be interrupted."""

from __future__ import annotations

import hashlib
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from benchmarks.evaluation.accuracy import Accuracy
from benchmarks.evaluation.generator.generator import Generator
from benchmarks.evaluation.generator.model import Delivery, Incident, World
from benchmarks.evaluation.monitor import Monitor
from benchmarks.evaluation.peers import PEERS, Contacts, Peer
from benchmarks.evaluation.reading import Reading
from benchmarks.evaluation.scenarios import Scenario
from benchmarks.evaluation.subject import Judged, Page, Surroundings
from benchmarks.evaluation.tally import Tally

MONITOR = Monitor.name


class Outcome(Struct):
    """What a scenario came to."""

    interfaces: int
    """At the end: instances come and go, but each is replaced."""
    days: int
    """Judged ones."""
    tallies: dict[str, Tally]
    """By the name of the judged."""
    accuracy: Accuracy = field(default_factory=Accuracy)
    incidents: list[Incident] = field(default_factory=list)
    lines: int = 0
    """Of all days."""
    deliveries: int = 0
    seconds: float = 0
    """Of processor time."""


class Run:
    """One scenario's run."""

    def __init__(self, scenario: Scenario, checkpoint: Path | None = None) -> None:
        """Begin, or go on from the checkpoint if it is there and of this very scenario."""
        self.scenario = scenario
        self._checkpoint = checkpoint
        self.generator = Generator(scenario.world)
        self._reading = Reading(scenario.world.layout)
        contacts = Contacts(self._reading)
        self._judged: tuple[Judged, ...] = (
            Monitor(surroundings(scenario, lambda: self.generator)),
            *(Peer(name, contacts) for name in PEERS),
        )
        self.outcome = Outcome(
            interfaces=len(self.generator.interfaces()),
            days=scenario.world.judged_days,
            tallies={each.name: Tally() for each in self._judged},
        )
        if checkpoint is not None and checkpoint.exists():
            self._restore(pickle.loads(checkpoint.read_bytes()))  # noqa: S301 -- this program wrote it

    def finish(self, tell: Callable[[str], None]) -> Outcome:
        """Run all days that are left; `tell` takes a line before each."""
        days = self.scenario.world.days
        while not self.generator.over:
            kind = "learning" if self.generator.learning else "judged"
            tell(f"day {self.generator.day + 1} of {days}, {kind}")
            begin = time.process_time()
            self._day()
            self.outcome.seconds += time.process_time() - begin
            self._save()
        self.outcome.incidents = self.generator.labels
        return self.outcome

    def _day(self) -> None:
        learning, outcome = self.generator.learning, self.outcome
        before = {each.name: each.write_units for each in self._judged}
        listeners = [each for each in self._judged if each.learns or not learning]
        for delivery in self.generator.next_day():
            outcome.lines += len(delivery.lines)
            outcome.deliveries += 1
            for each in listeners:
                pages = [page for page in each.process(delivery) if counts(page, self.scenario.world)]
                if not learning:
                    self._count(outcome.tallies[each.name], delivery).pages.extend(pages)
            if not learning:
                outcome.accuracy.look(delivery, self._reading)
        if not learning:
            for each in self._judged:
                outcome.tallies[each.name].write_units += each.write_units - before[each.name]

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
        draft.replace(self._checkpoint)  # so that an interruption leaves the one before

    def _restore(self, saved: tuple[str, Generator, Outcome, dict[str, Any]]) -> None:
        mark, generator, outcome, states = saved
        if mark != fingerprint(self.scenario):
            return
        self.generator, self.outcome = generator, outcome
        for each in self._judged:
            each.restore(states[each.name])


def counts(page: Page, world: World) -> bool:
    """Whether it is about a judged day: some deliveries of the last day of learning come late."""
    return page.at is None or page.at >= world.judged_from


def surroundings(scenario: Scenario, generator: Callable[[], Generator]) -> Surroundings:
    """What the judged may know of a scenario's world."""
    world = scenario.world
    return Surroundings(world.layout, world.judged_from, lambda: generator().interfaces())


def fingerprint(scenario: Scenario) -> str:
    """The same for the same scenario: its name and all parameters of its world."""
    return hashlib.sha256(repr(scenario).encode()).hexdigest()
