"""Memory does not grow with the size of the input."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sources.held import ACCEPTED, NODATA, gz

READ = """
from flowwarden_cli.main import main
main(["read", sys.argv[1]])
"""
KEEP = """
kept = open(sys.argv[1]).read().split("\\n")
"""
PEAK = """
try:
    lines = open("/proc/self/status").read().splitlines()
    peak = next(line.split()[1] for line in lines if line.startswith("VmHWM"))
except OSError:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(peak, file=sys.stderr)
sys.exit(0)
"""
"""Prints the peak memory in kilobytes. On Linux, `ru_maxrss` is at least that of the parent process."""
SMALL, LARGE = 12_000, 60_000
"""Lines: 1 and 6 MB of text."""
GROWTH = 5 * 1024
"""Kilobytes; the lines of the large source in memory would need at least half as much again."""


def text(lines: int) -> bytes:
    """Plain text, with gaps among the flows."""
    return f"{ACCEPTED}\n{NODATA}\n".encode() * (lines // 2)


def packed(lines: int) -> bytes:
    """Text in gzip, members of 6,000 lines."""
    return gz(text(6_000).decode()) * (lines // 6_000)


def concatenated(lines: int) -> bytes:
    """JSON objects without separators."""
    return f'{{"message": "{ACCEPTED}"}}'.encode() * lines


def table(lines: int) -> bytes:
    """CSV."""
    return b"srcaddr,dstaddr,dstport\n" + b"10.0.0.1,10.0.0.2,65535\n" * lines


def one_line(lines: int) -> bytes:
    """A line too long to keep in memory."""
    return ACCEPTED.encode() * lines


def blank(lines: int) -> bytes:
    """Only line ends, in the small source already more than are read at once."""
    return b"\n" * 33 * lines


def most_memory(path: Path, program: str = READ) -> int:
    """The peak memory of a program that reads the file, in kilobytes."""
    done = subprocess.run(
        [sys.executable, "-c", f"import resource, sys{program}{PEAK}", path],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=True,
    )
    return int(done.stderr.split()[-1])


@pytest.mark.parametrize(
    "content", [text, packed, concatenated, table, one_line, blank], ids=lambda make: make.__name__
)
def test_five_times_the_size_needs_the_same_memory(content: Callable[[int], bytes], tmp_path: Path) -> None:
    """For every kind of source."""
    path = tmp_path / "source"
    path.write_bytes(content(SMALL))
    small = most_memory(path)
    path.write_bytes(content(LARGE))
    assert most_memory(path) < small + GROWTH


def test_a_program_that_keeps_the_lines_needs_more_memory(tmp_path: Path) -> None:
    """So the limit detects such a program."""
    path, memory = tmp_path / "source", []
    for lines in (SMALL, LARGE):
        path.write_bytes(text(lines))
        memory.append(most_memory(path, KEEP))
    assert memory[1] > memory[0] + 1.5 * GROWTH
