"""Proofs about incidents: hours of a stack with several receivers of pages, in which one call fails once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

from msgspec import Struct

from benchmarks.reliability.proofs import Evidence, Verdict, chosen, number_of
from tests.dispatcher.lives.invariants import is_sink, violations
from tests.dispatcher.lives.simulated_stack import Mishaps
from tests.dispatcher.lives.stacks import TWO, lived
from tests.faults import Fault

RUNS: Final = 100
"""How many times more runs a cell has than one of the monitor: with the usual number, it has one for each
call."""


class Lives(Struct, frozen=True):
    """Each call in turn has a fault; afterward, an invariant of `tests/dispatcher/lives` holds."""

    about: str
    """The invariant."""
    fault: Fault | None = None
    """How the call fails; None if it does not."""
    second: bool = False
    """Whether a second dispatcher runs from begin to end before the call."""
    sinks: bool = False
    """Whether only calls of receivers fail."""
    pagers: tuple[str, ...] = TWO
    """The receivers of pages."""

    def verdict(self, evidence: Evidence) -> Verdict:
        """The number of runs, and the violations of the invariant in them."""
        calls = _calls(self.pagers)
        numbers = [number for number, call in enumerate(calls) if is_sink(call) or not self.sinks]
        runs = chosen(numbers, RUNS * evidence.calls, f"{self.fault} {self.second} {self.sinks}")
        failures = [
            f"{self.fault}, second dispatcher: {self.second}, {self.pagers}, call {number}, "
            f"{calls[number]}: {why}"
            for number in runs
            for why in _violations(number, self.fault, self.pagers, second=self.second)[self.about]
        ]
        return Verdict(number_of(len(runs), "run"), tuple(failures))


@cache
def _calls(pagers: tuple[str, ...]) -> Sequence[str]:
    """The calls of a stack without mishaps."""
    stack = lived(pagers=pagers)
    return tuple(stack.mishaps.calls[: stack.calls])


@cache
def _violations(
    number: int, fault: Fault | None, pagers: tuple[str, ...], *, second: bool
) -> Mapping[str, list[str]]:
    """What is wrong after a mishap at a call. Cached, because each column of the table asks for it."""
    mishaps = Mishaps({number: fault} if fault else {}, {number} if second else ())
    return violations(lived(mishaps, pagers=pagers))
