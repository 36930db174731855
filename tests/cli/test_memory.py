"""Memory does not grow with the size of the input."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.sources.held import ACCEPTED, NODATA, gz

MEASURES = """
import os, resource, sys
from flowwarden_cli.main import main

def read(path):
    main(["read", path])

def keep(path):
    return open(path).read().split("\\n")

def peak():
    try:
        lines = open("/proc/self/status").read().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("VmHWM")))
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

def run(program, path):
    try:
        return program(path)
    except SystemExit:
        pass

answers = os.fdopen(os.dup(1), "w")
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
run(read, os.devnull)  # imports what a read imports, once for all
for line in sys.stdin:
    name, path = line.split()
    child = os.fork()
    if not child:
        kept = run({"read": read, "keep": keep}[name], path)
        print(peak(), file=answers, flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""
"""Runs a program in a new process for each line of input, and prints that process's peak memory in kilobytes.

On Linux, `ru_maxrss` is at least that of the parent process.
"""
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


type Measure = Callable[[str, Path], int]


@pytest.fixture(scope="module")
def most_memory() -> Iterator[Measure]:
    """The peak memory of a program that reads a file, in kilobytes."""
    command = [sys.executable, "-c", MEASURES]
    variables = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        asked, answered = process.stdin, process.stdout
        assert asked is not None
        assert answered is not None

        def measure(program: str, path: Path) -> int:
            print(program, path, file=asked, flush=True)
            return int(answered.readline())

        yield measure
        asked.close()


@pytest.mark.parametrize(
    "content", [text, packed, concatenated, table, one_line, blank], ids=lambda make: make.__name__
)
def test_five_times_the_size_needs_the_same_memory(
    content: Callable[[int], bytes], tmp_path: Path, most_memory: Measure
) -> None:
    """For every kind of source."""
    path = tmp_path / "source"
    path.write_bytes(content(SMALL))
    small = most_memory("read", path)
    path.write_bytes(content(LARGE))
    assert most_memory("read", path) < small + GROWTH


def test_a_program_that_keeps_the_lines_needs_more_memory(tmp_path: Path, most_memory: Measure) -> None:
    """So the limit would detect it."""
    path, memory = tmp_path / "source", []
    for lines in (SMALL, LARGE):
        path.write_bytes(text(lines))
        memory.append(most_memory("keep", path))
    assert memory[1] > memory[0] + 1.5 * GROWTH
