"""Replays in processes of their own, one for each policy, while this process reads and orders the archive.

A replay is a sequence: what a slice shows depends on all slices before it. So it cannot be divided, but
several replays of one archive can run at once, and reading can run ahead of them. Each process gets the same
slices in the same order, so its result is that of a replay in one process.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Final

from msgspec import Struct

from flowwarden.policy.policy import Policy
from flowwarden.replay.checkpoint.kinds import Unusable
from flowwarden.replay.interface_file import InterfaceFile
from flowwarden.replay.reorder import Slice
from flowwarden.replay.replay import Replay
from flowwarden.replay.result import ReplayResult
from flowwarden_cli.commands.collecting import collected_rarely

AHEAD: Final = 2
"""Slices that are read ahead of a process: more would need more memory and save no time."""


class WorkerEnded(Exception):
    """A process ended before its replay; the message says how, and what to do."""


class Assignment(Struct, frozen=True, kw_only=True):
    """What a process replays with; can be sent to it."""

    policy: Policy
    log_group: str
    known: InterfaceFile
    as_delivered: bool
    observes: bool
    state: bytes | None = None
    """The state to go on with; None to begin."""


class Totals(Struct, frozen=True):
    """What the process that reads says at the end."""

    sources: int
    failed: int
    unreadable: int


class Failure(Struct, frozen=True):
    """What a process answers if it cannot go on from a state."""

    why: str


type Captured = bytes | str
"""The state of a replay, or why it cannot be stored."""
type StateOf = Callable[[Replay], Captured]
"""A function of a module, as `Build` is."""
type Build = Callable[[Assignment], Replay]
"""Builds the replay of an assignment; a function of a module, so that another process can find it."""


class Worker:
    """A replay in a process of its own, with the methods of `Replay`."""

    def __init__(self, assigned: Assignment, build: Build) -> None:
        """Start the process, without anything of this one: a fork would copy open files and locks."""
        context = get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, assigned, build), daemon=True)
        self._process.start()
        theirs.close()
        self._unanswered = 0

    def process(self, one: Slice) -> None:
        """Send a slice; waits while the process is `AHEAD` slices behind. Raises WorkerEnded."""
        self._send(one)
        self._unanswered += 1
        if self._unanswered > AHEAD:
            self._receive()
            self._unanswered -= 1

    def finish(self) -> None:
        """Nothing: the process finishes with its result."""

    def state(self, state_of: StateOf) -> Captured:
        """The state after the slices so far, by this function. Raises WorkerEnded."""
        self._send(state_of)
        *_, state = [self._receive() for _ in range(self._unanswered + 1)]
        self._unanswered = 0
        if not isinstance(state, bytes | str):
            raise TypeError(f"the state is {type(state).__name__}")
        return state

    def result(self, sources: int, failed: int, unreadable: int = 0) -> ReplayResult:
        """The result, after the last slice; see `Replay.result`. Raises WorkerEnded."""
        self._send(Totals(sources, failed, unreadable))
        answers = [self._receive() for _ in range(self._unanswered + 1)]
        self._process.join()
        result = answers[-1]
        if not isinstance(result, ReplayResult):
            raise TypeError(f"the last answer is {type(result).__name__}")
        return result

    def stop(self) -> None:
        """End the process if it is not over. It can be called at any time."""
        self._connection.close()
        self._process.terminate()
        self._process.join()

    def _send(self, one: Slice | Totals | StateOf) -> None:
        try:
            self._connection.send(one)
        except OSError as error:
            with suppress(OSError):  # it may have said why, unless it was stopped
                while self._connection.poll():
                    self._receive()
            raise self._ended() from error

    def _receive(self) -> object:
        try:
            answer = self._connection.recv()
        except (EOFError, OSError) as error:
            raise self._ended() from error
        if isinstance(answer, Failure):
            raise Unusable(answer.why)
        return answer

    def _ended(self) -> WorkerEnded:
        self._process.join()
        return WorkerEnded(
            f"a process of the replay ended with status {self._process.exitcode}; if it lacks memory, use "
            "--workers 1"
        )


def _work(connection: Connection, assigned: Assignment, build: Build) -> None:
    """Replay what comes, answer each slice, and at last send the result."""
    # Ctrl-C reaches all processes of a terminal; the one that reads ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The other end is closed if its process is over: then nothing waits for a result.
    with suppress(EOFError, BrokenPipeError):
        try:
            _replay(connection, build(assigned))
        except (EOFError, OSError, MemoryError):
            raise
        except Exception as error:
            if assigned.state is None:
                raise
            connection.send(Failure(why(error)))


def why(error: Exception) -> str:
    """Why a replay cannot go on from a state: what was refused, or an error that a state leads to."""
    return str(error) if isinstance(error, Unusable) else f"{type(error).__name__}: {error}"


def _replay(connection: Connection, replay: Replay) -> None:
    with collected_rarely() as collect:
        while not isinstance(one := connection.recv(), Totals):
            if isinstance(one, Slice):
                replay.process(one)
            connection.send(None if isinstance(one, Slice) else one(replay))
            collect()
        replay.finish()
        connection.send(replay.result(one.sources, one.failed, one.unreadable))
