"""Checkpoints of a replay: when they are written, and what must be the same when it goes on.

A replay that goes on reads its sources again, and skips the slices that were processed. Each of them must
have the same lines as before. So the result is that of a replay of the sources as they are now.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

import flowwarden
from flowwarden.errors import FlowWardenError, SettingsError
from flowwarden.replay.reorder import Slice
from flowwarden_cli.commands import checkpoint_file
from flowwarden_cli.commands.checkpoint_file import OPTION, Period, Saved
from flowwarden_cli.commands.replay_workers import WorkerEnded, why
from flowwarden_cli.terminal.console import Console

PAUSE: Final = 60.0
"""Seconds between two checkpoints."""
SHARE: Final = 30
"""A pause is at least so many times as long as the last checkpoint took: about 3 % of the time at most."""
_DIGEST: Final = 8
"""Bytes of the digest of a slice."""


type States = Callable[[], Sequence[bytes | str]]
"""The state of each replay after the slices so far; as text, why it cannot be stored."""


class Checkpoints:
    """The checkpoints of one run."""

    def __init__(self, path: str, console: Console) -> None:
        """Take the name of the file, and read the checkpoint that it contains. Raises SettingsError."""
        self._path = path
        self._file = Path(path).resolve()
        """The file itself: a link remains one."""
        try:
            self.saved = saved = checkpoint_file.read(self._file)
        except SettingsError as error:
            raise SettingsError(f"{OPTION} {path}: {error}") from error
        self._console = console
        self._terms: Mapping[str, str] = {}
        self._period: Period | None = None
        self._slices: list[bytes] = []
        self._until = saved.until if saved else 0
        """Up to which record time there is a checkpoint (Unix seconds); 0 if there is none."""
        self._next = console.clock() + PAUSE

    def begin(self, terms: Mapping[str, str], period: Period | None) -> tuple[bytes, ...] | None:
        """Begin with these terms; return the states to go on with, or None. Raises SettingsError."""
        self._terms, self._period = terms, period
        if self.saved is None:
            return None
        names = [each for each in terms if self.saved.terms.get(each) != terms[each]]
        if names:
            raise self._refused(f"was written with another {', another '.join(names)}")
        self._report(f"goes on after the records until {_moment(self._until)}")
        return self.saved.states

    def skips(self, one: Slice, *, is_partial: bool = False) -> bool:
        """Whether a slice was processed before.

        Args:
            one: the slice.
            is_partial: whether AWS did not answer for some source, so that records can be missing.

        Raises:
            SettingsError: the one at its place was another.
        """
        self._slices.append(_digest(one))
        if self.saved is None or len(self._slices) > len(self.saved.slices):
            return False
        if self._slices[-1] != self.saved.slices[len(self._slices) - 1]:
            place = f"{_moment(one.begin)} to {_moment(one.end)}"
            raise self._differs(f"was written with other records: those of {place} differ", is_partial)
        return True

    def processed(self, one: Slice, states: States) -> None:
        """Write a checkpoint after a slice, if it is time."""
        begun = self._console.clock()
        if begun < self._next:
            return
        found = states()
        problem = next((each for each in found if isinstance(each, str)), "") or self._write(one.end, found)
        if problem:
            self._report(f"cannot be written: {problem}; the replay continues, {self._kept}", "warning")
        ended = self._console.clock()
        self._next = ended + max(PAUSE, SHARE * (ended - begun))

    def _write(self, until: int, states: Sequence[bytes | str]) -> str:
        saved = Saved(
            terms=self._terms,
            slices=tuple(self._slices),
            until=until,
            states=tuple(each for each in states if isinstance(each, bytes)),
            period=self._period,
        )
        problem = checkpoint_file.write(self._file, saved)
        if not problem:
            self._until = until
        return problem

    def all_read(self, *, is_partial: bool = False) -> None:
        """Note that there are no more slices. Raises SettingsError if some are missing, as `skips` does."""
        if self.saved is not None and len(self._slices) < len(self.saved.slices):
            raise self._differs("was written with more records", is_partial)

    def interrupted(self) -> None:
        """Report how to go on."""
        if self._until:
            self._report(f"{self._kept}; run the same command again to go on")
        else:
            self._report("there is none yet, so the same command starts from the beginning")

    def ended(self, *, is_complete: bool) -> None:
        """Remove the file after a complete run, unless it is none of ours."""
        if not self._until:
            return
        if not is_complete:
            self.interrupted()
        elif problem := checkpoint_file.remove(self._file):
            self._report(f"cannot be deleted: {problem}", "warning")

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Within it, a replay that cannot go on ends with a clear error: a checksum shows no forgery.

        Raises SettingsError: the checkpoint contains what no replay wrote.
        """
        try:
            yield
        except (FlowWardenError, WorkerEnded, ModuleNotFoundError, OSError, MemoryError):
            raise
        except Exception as error:  # whatever a made-up state leads to
            if self.saved is None:
                raise
            raise SettingsError(
                f"{OPTION} {self._path}: the replay cannot go on from it: {why(error)}; delete it to start "
                "from the beginning"
            ) from error

    @property
    def _kept(self) -> str:
        return f"the checkpoint of {_moment(self._until)} remains" if self._until else "without a checkpoint"

    def _report(self, text: str, kind: str = "note") -> None:
        self._console.report(f"{kind}: {OPTION} {self._path}: {text}")

    def _differs(self, why: str, is_partial: bool) -> SettingsError:  # noqa: FBT001 - handed on
        if not is_partial:
            return self._refused(why)
        return SettingsError(
            f"{OPTION} {self._path}: was not reached, because records before it could not be read; it "
            "remains, so run the same command again"
        )

    def _refused(self, why: str) -> SettingsError:
        return SettingsError(
            f"{OPTION} {self._path}: {why}; use what it was written with, or delete it to start from the "
            "beginning"
        )


def opened(options: Namespace, console: Console) -> Checkpoints | None:
    """The checkpoints in the file of the options; None without one. Raises SettingsError."""
    path = options.checkpoint
    if not path:
        return None
    if problem := _conflict(Path(path).resolve(), options, console):
        raise SettingsError(f"{OPTION} {path}: {problem}; write another name")
    return Checkpoints(path, console)


def _conflict(file: Path, options: Namespace, console: Console) -> str:
    """Why the file has another purpose in this run; '' if it has none. It would be replaced, and deleted."""
    folders = [Path(each).resolve() for each in options.paths if Path(each).is_dir()]
    if any(file.is_relative_to(each) for each in folders):
        return "is in a folder that is replayed"
    others = {
        "PATH": options.paths,
        "--report": [options.report or ""],
        "--policy": options.policy,
        "--interfaces": [options.interfaces or ""],
    }
    for name, files in others.items():
        if any(each and Path(each).resolve() == file for each in files):
            return f"is also the file of {name}"
    with suppress(OSError):
        status = file.stat()
        if (status.st_dev, status.st_ino) in console.own:
            return "is also the file of the output"
    return ""


def value_of(content: object) -> str:
    """A short text that differs if the content does."""
    return blake2b(msgspec.json.encode(content, order="sorted"), digest_size=_DIGEST).hexdigest()


@cache
def program() -> str:
    """A short text that differs if the code does: other code can have other state, or find something else."""
    versions = sys.version_info[:2], np.__version__, msgspec.__version__
    digest = blake2b(repr(versions).encode(), digest_size=_DIGEST)
    for folder in flowwarden.__path__:
        for file in sorted(Path(folder).rglob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _digest(one: Slice) -> bytes:
    """Processors have instructions for SHA-256: it takes half the time of BLAKE2."""
    digest = sha256(f"{one.begin} {one.end} {one.late}".encode())
    for layouts, lines in one.lines.items():
        digest.update(repr([each.names for each in layouts]).encode())
        digest.update("\n".join(lines).encode(errors="surrogatepass"))
    return digest.digest()[:_DIGEST]


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%MZ")
