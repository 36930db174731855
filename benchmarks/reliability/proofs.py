"""The proofs of a cell of the table: tests, the monitor's scenarios with a failing call, or the load run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from random import Random
from typing import Final, Protocol

from msgspec import Struct

from benchmarks.reliability.load import COPIES, Load
from benchmarks.reliability.node_ids import Results
from benchmarks.reliability.poison import Poison
from benchmarks.reliability.run import Done
from flowwarden.state.write_budget import MOST_WRITES
from tests.faults import Fault, Faults
from tests.monitor import test_faults as monitor
from tests.monitor.scenarios import makers, scenario


class Verdict(Struct, frozen=True):
    """The result of a proof."""

    proven: str
    """The number of runs or tests, in words, such as "2 runs"."""
    failures: tuple[str, ...] = ()


class Run(Struct, frozen=True):
    """A run of a scenario with one failing call: the violations, by invariant."""

    lost: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()


class Evidence(Struct, frozen=True):
    """The runs on which the proofs are based."""

    load: Load
    tests: Results
    calls: int
    """Maximum calls of a scenario that fail in each way."""


class ByTests(Struct, frozen=True):
    """Tests by their node ids; each has to pass."""

    node_ids: tuple[str, ...]

    def verdict(self, evidence: Evidence) -> Verdict:
        """The number of tests that passed, and each test that did not pass or does not exist."""
        failures = [why for each in self.node_ids for why in evidence.tests.failures(each)]
        count = sum(evidence.tests.passed(each) for each in self.node_ids)
        return Verdict(number_of(count, "test"), tuple(failures))


def tests_of(file: str, *names: str) -> ByTests:
    """The proof by tests of a file; the file without its folder and suffix, the names without `test_`."""
    return ByTests(tuple(f"tests/{file}.py::test_{name}" for name in names))


class MonitorCalls(Struct, frozen=True):
    """The monitor's scenarios: a call fails once, and the next attempt is in the same or a new container."""

    fault: Fault
    cold: bool
    about: str
    """`lost` or `repeated`."""

    def verdict(self, evidence: Evidence) -> Verdict:
        """The number of runs, and the violations of the invariant in them."""
        runs = [
            _monitor(name, cell)
            for name in makers()
            for cell in chosen(self._cells(name), evidence.calls, f"{name} {self.fault} {self.cold}")
        ]
        return Verdict(
            number_of(len(runs), "run"), tuple(why for each in runs for why in getattr(each, self.about))
        )

    def _cells(self, name: str) -> list[monitor.Cell]:
        every = monitor.cells(_faultless(name)[1])
        return [each for each in every if (each.fault, each.cold) == (self.fault, self.cold)]


class Loaded(Struct, frozen=True):
    """The batches of the load run with a kind of poison, or those that are delivered twice."""

    poison: Poison | None
    """None for those that are delivered twice."""
    about: str
    """`lines`, `writes`, `text` or `pages`."""

    def verdict(self, evidence: Evidence) -> Verdict:
        """The violations in these batches; for text and pages, those of the whole run."""
        load = evidence.load
        done = load.doubles if self.poison is None else load.of(self.poison)
        none = () if done else (f"the load run has no batch with {self.poison or 'a repeated delivery'}",)
        failures = [f"batch {each.delivery.batch.number}" for each in done if not _is_well(each, self.about)]
        whole = load.differences() if self.about in {"text", "pages"} else []
        return Verdict(number_of(len(done), "delivery"), (*none, *failures, *whole))


class Proof(Protocol):
    """A proof of a cell."""

    def verdict(self, evidence: Evidence, /) -> Verdict:
        """The result."""


def _is_well(each: Done, about: str) -> bool:
    if about == "writes":
        return each.writes <= MOST_WRITES
    unreadable = each.delivery.poison is Poison.PAYLOAD
    return each.lines == each.accounted and (each.counts is None) == unreadable


@cache
def _faultless(name: str) -> tuple[frozenset[tuple[str, str]], tuple[str, ...]]:
    """The incidents and the calls of a scenario of the monitor."""
    faultless = Faults()
    incidents = scenario(name).run(faultless).incidents
    return frozenset(incidents), tuple(faultless.calls)


@cache
def _monitor(name: str, cell: monitor.Cell) -> Run:
    """Run a scenario with a failing call. Cached, because two cells of the table use it."""
    wanted, _ = _faultless(name)
    account = scenario(name).run(Faults(cell.number, cell.fault), cold=cell.cold, late=cell.late)
    sent = Counter(account.incidents)
    other = [f"{name}: {each} is new, {cell}" for each in set(sent) - wanted]
    lost = [f"{name}: {each} lost, {cell}" for each in wanted - set(sent)]
    more = [f"{name}: {each} sent {times} times, {cell}" for each, times in sent.items() if times > COPIES]
    return Run(lost=(*lost, *other), repeated=tuple(more))


def chosen[T](cells: Sequence[T], most: int, seed: str) -> Sequence[T]:
    """All cells, or `most` of them at random, the same ones for the same seed."""
    return cells if len(cells) <= most else Random(seed).sample(cells, most)


_PLURALS: Final[Mapping[str, str]] = {"delivery": "deliveries"}


def number_of(count: int, what: str) -> str:
    """A number of things, such as "2 runs"."""
    return f"{count} {what if count == 1 else _PLURALS.get(what, what + 's')}"
