"""Kind of input: flow log lines of all layouts and spellings, for `flowwarden read` and the monitor."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Final

from msgspec import Struct

from benchmarks.fuzz.console import read_source, run_command
from benchmarks.fuzz.draw import damaged, odd_text, spelled, token
from benchmarks.fuzz.kind import Kind, Problem
from benchmarks.fuzz.monitoring import process
from flowwarden.records.fields import FIELDS
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, STACK_LOG_FORMAT, LogFormat
from flowwarden.records.subscription import encode
from tests.functions.test_monitor_events import document

GROUP: Final = 100
"""Number of lines in a group."""
_COUNTED: Final = "Flows", "NoData", "SkipData", "Malformed"
_ALERTING: Final = {
    "srcaddr": "10.0.1.20", "dstaddr": "10.0.2.30", "srcport": "49152", "dstport": "5432", "protocol": "6",
    "packets": "6", "bytes": "360", "start": "1764000000", "end": "1764000058", "action": "REJECT",
    "log-status": "OK",
}  # fmt: skip
"""A rejected connection, which causes a page."""
_SPELLINGS: Final[tuple[Callable[[LogFormat, str], str], ...]] = (
    lambda _layout, line: line,
    lambda _layout, line: line,
    lambda _layout, line: f"2025-11-24T16:00:00+00:00 eni-0a-all {line}",
    lambda _layout, line: f"EVENTS\t1764000000000\t{line}\t1764000000000",
    lambda _layout, line: json.dumps({"timestamp": 1764000000000, "message": line}),
    lambda layout, line: json.dumps(dict(zip(layout.names, line.split(), strict=False))),
    lambda _layout, line: _csv(["1764000000000", line]),
    lambda _layout, line: _csv(line.split()),
)
"""The forms in which archives and exports write a record."""


class Lines(Struct, frozen=True):
    """Lines of one layout, and the form in which a file contains them."""

    layout: LogFormat
    spelling: int
    header: bool
    """Whether the file begins with the names of the fields."""
    lines: tuple[str, ...]

    @property
    def file(self) -> bytes:
        """The lines in a file."""
        spell = _SPELLINGS[self.spelling]
        head = [spell(self.layout, " ".join(self.layout.names))] if self.header else []
        text = "\n".join([*head, *(spell(self.layout, line) for line in self.lines)])
        return text.encode("utf-8", "surrogatepass")


def make(random: Random) -> Lines:
    """A group of lines."""
    layout = _layout(random)
    lines = tuple(_line(random, layout) for _ in range(GROUP))
    return Lines(layout, random.randrange(len(_SPELLINGS)), random.random() < 0.3, lines)  # noqa: PLR2004


def _layout(random: Random) -> LogFormat:
    match random.randrange(3):
        case 0:
            return DEFAULT_LOG_FORMAT
        case 1:
            return STACK_LOG_FORMAT
        case _:
            others = [each.name for each in FIELDS if each.name not in ("srcaddr", "dstaddr")]
            names = ["srcaddr", "dstaddr", *random.sample(others, random.randrange(30))]
            random.shuffle(names)
            return LogFormat(tuple(names))


def _line(random: Random, layout: LogFormat) -> str:
    kind = random.randrange(8)
    if kind == 0:
        return odd_text(random)
    tokens = [token(random, field) for field in layout.fields]
    if kind > 3:  # noqa: PLR2004
        tokens = [_ALERTING.get(name, each) for name, each in zip(layout.names, tokens, strict=True)]
    for _ in range(random.randrange(3)):
        tokens[random.randrange(len(tokens))] = odd_text(random)
    line = spelled(random, tokens)
    if kind == 1:
        return damaged(random, line.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")[:20_000]
    return line


def check(given: Lines) -> Iterator[Problem]:
    """Read the lines as a file, as a batch, and explain one of them."""
    layout = given.layout.to_log_format()
    yield from read_source(given.file, "--format", layout)
    yield from run_command(["read", "--format", layout, f"--explain={given.lines[0]}"])
    lines = [line.encode("utf-8", "replace").decode() for line in given.lines]
    done = process(encode(document(*lines)), layout)
    yield from done.problems
    if done.result is not None and sum(done.result[name] for name in _COUNTED) != len(lines):
        yield Problem("lines that are not accounted for", repr(done.result))


def _csv(cells: list[str]) -> str:
    row = io.StringIO()
    csv.writer(row, lineterminator="").writerow(cells)
    return row.getvalue()


KIND: Final = Kind(
    name="lines",
    what="flow log lines of any layout and spelling: `flowwarden read`, `--explain`, the monitor",
    make=make,
    check=check,
    size=GROUP,
    share=0.7,
)
