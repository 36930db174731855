"""Memory does not grow with the size of the input."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sources.held import ACCEPTED, NODATA, gz

MEASURE = """
import resource, sys
from flowwarden_cli.main import main
main(["read", sys.argv[1]])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
sys.exit(0)
"""
SMALL, LARGE = 30_000, 300_000
"""Lines: 3 and 30 MB."""
GROWTH = 12 * 1024
"""Kilobytes; the whole large source in memory would need at least three times as much."""


def text(lines: int) -> bytes:
    """Plain text, with gaps among the flows."""
    return f"{ACCEPTED}\n{NODATA}\n".encode() * (lines // 2)


def packed(lines: int) -> bytes:
    """Text in gzip, members of 10,000 lines."""
    return gz(text(10_000).decode()) * (lines // 10_000)


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
    """Only line ends."""
    return b"\n" * lines


def most_memory(path: Path) -> int:
    """The peak memory for reading the file, in kilobytes."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, path], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True
    )
    return int(done.stderr.split()[-1]) // (1024 if sys.platform == "darwin" else 1)


@pytest.mark.parametrize(
    "content", [text, packed, concatenated, table, one_line, blank], ids=lambda make: make.__name__
)
def test_ten_times_the_size_needs_the_same_memory(content: Callable[[int], bytes], tmp_path: Path) -> None:
    """For every kind of source."""
    path = tmp_path / "source"
    path.write_bytes(content(SMALL))
    small = most_memory(path)
    path.write_bytes(content(LARGE))
    assert most_memory(path) < small + GROWTH
