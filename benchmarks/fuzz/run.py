"""Runs inputs of a kind on several processes. The inputs depend only on the seed, not on the processes."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing.sharedctypes import SynchronizedArray
from random import Random
from typing import Any, Final

from msgspec import Struct

from benchmarks.fuzz.kind import Kind, Problem, verdict

PART: Final = 50
"""Groups that a process takes at once."""
ENDED: Final = "a process ended"
MOST_PROCESSES: Final = 64


class Failure(Struct, frozen=True):
    """An input with a problem."""

    kind: Kind
    number: int
    """The number of its group, from 0."""
    problem: Problem

    def command(self, seed: int) -> str:
        """The options that repeat it."""
        size = self.kind.size
        return f"--kind {self.kind.name} --seed {seed} --first {self.number * size} --count {size}"


class Outcome(Struct, frozen=True):
    """The result for the inputs of a kind."""

    kind: str
    inputs: int
    seconds: float
    """Seconds on the clock."""
    slowest: float
    """Seconds of processor time of the slowest group."""
    failures: tuple[Failure, ...]
    """The first failure with each problem."""
    failed: int
    """The number of groups with a problem."""


class _Part(Struct, frozen=True):
    """The result of a process for some groups."""

    groups: int
    slowest: float
    failures: tuple[Failure, ...]


def given(kind: Kind, seed: int, number: int) -> Any:  # noqa: ANN401 - an input of this kind
    """A group of inputs."""
    return kind.make(Random(f"{seed} {kind.name} {number}"))


def part(kind: Kind, seed: int, numbers: range, begun: Callable[[int], None] = lambda _: None) -> _Part:
    """Process groups in this process; `begun` is called with the number of each before it is processed."""
    failures, slowest = list[Failure](), 0.0
    for number in numbers:
        begun(number)
        before = time.process_time()
        failures += (Failure(kind, number, each) for each in verdict(kind, given(kind, seed, number)))
        slowest = max(slowest, time.process_time() - before)
    return _Part(len(numbers), slowest, tuple(failures))


def run(
    kind: Kind,
    seed: int,
    numbers: range,
    processes: int,
    done: Callable[[int, int], None] = lambda _groups, _failed: None,
    pool: Callable[..., Executor] = ProcessPoolExecutor,
) -> Outcome:
    """Process groups on several processes.

    Args:
        kind: the kind of input.
        seed: the seed of the inputs.
        numbers: the numbers of the groups.
        processes: the number of processes.
        done: called with the numbers of groups and failures so far.
        pool: creates the pool of processes.
    """
    begin, parts = time.monotonic(), list[_Part]()
    shards = [numbers[at : at + PART] for at in range(0, len(numbers), PART)]
    for each in _parts(kind, seed, shards, partial(pool, processes)):
        parts.append(each)
        done(sum(one.groups for one in parts), sum(len(one.failures) for one in parts))
    failures = [failure for each in parts for failure in each.failures]
    return Outcome(
        kind.name,
        sum(each.groups for each in parts) * kind.size,
        time.monotonic() - begin,
        max((each.slowest for each in parts), default=0.0),
        first_of_each(failures),
        len({each.number for each in failures}),
    )


def first_of_each(failures: list[Failure]) -> tuple[Failure, ...]:
    """The first failure of each problem."""
    found: dict[str, Failure] = {}
    for each in sorted(failures, key=lambda failure: failure.number):
        found.setdefault(each.problem.what, each)
    return tuple(found.values())


def _parts(kind: Kind, seed: int, shards: list[range], pool: Callable[..., Executor]) -> Iterator[_Part]:
    """The results of all parts. If a process ends, the inputs that were being processed are failures."""
    places: SynchronizedArray[int] = multiprocessing.Array("q", [-1] * MOST_PROCESSES)
    counter = multiprocessing.Value("i", 0)
    with pool(initializer=_begin, initargs=(places, counter)) as processes:
        waiting: list[Future[_Part]] = [processes.submit(_work, kind, seed, shard) for shard in shards]
        ended = False
        for each in as_completed(waiting):
            try:
                yield each.result()
            except BrokenProcessPool:
                ended = True
    if ended:
        running = sorted({number for number in places[:] if number >= 0}) or [0]
        problem = Problem(ENDED, f"while it processed one of the groups {running}")
        yield _Part(0, 0.0, tuple(Failure(kind, number, problem) for number in running))


_here: Mapping[str, Any] = {}
"""Set once in each process: the place in shared memory for the number of the group that it processes."""


def _begin(places: Any, counter: Any) -> None:  # noqa: ANN401 - shared memory
    global _here  # noqa: PLW0603 - the one way to pass shared memory to a pool's functions
    with counter.get_lock():
        _here = {"places": places, "at": counter.value}
        counter.value += 1
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends the pool


def _work(kind: Kind, seed: int, numbers: range) -> _Part:
    def begun(number: int) -> None:
        _here["places"][_here["at"]] = number

    found = part(kind, seed, numbers, begun)
    begun(-1)
    return found
