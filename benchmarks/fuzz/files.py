"""Kind of input: damaged files of every kind, read by `flowwarden read`."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.fuzz.console import read_source, run_command
from benchmarks.fuzz.draw import damaged, odd_text
from benchmarks.fuzz.kind import Kind, Problem
from tests.cli.hostile import PIECES, SEEDS
from tests.sources.held import ACCEPTED, HEADER, REJECTED

_MAGIC: Final = b"PAR1"


@cache
def _seeds() -> tuple[bytes, ...]:
    return (*SEEDS, _parquet())


def _parquet() -> bytes:
    """A Parquet file of two records."""
    rows = ACCEPTED.split(), REJECTED.split()
    columns = {name: [row[at] for row in rows] for at, name in enumerate(HEADER.split())}
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


def make(random: Random) -> bytes:
    """The bytes of a file."""
    match random.randrange(10):
        case 0:
            return random.randbytes(random.randrange(300))
        case 1:
            return b"".join(random.choice(PIECES) for _ in range(random.randrange(200)))
        case 2:
            return "\n".join(odd_text(random) for _ in range(9)).encode("utf-8", "surrogatepass")
        case _:
            return damaged(random, random.choice(_seeds()))


def check(data: bytes) -> Iterator[Problem]:
    """Read the data from standard input; Parquet also from a file, because its reader needs one."""
    yield from read_source(data)
    if data.startswith(_MAGIC):
        yield from _as_file(data)


def _as_file(data: bytes) -> Iterable[Problem]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "flows.parquet"
        path.write_bytes(data)
        return [*run_command(["read", "--flows", "--gaps", "--malformed", str(path)])]


KIND: Final = Kind(
    name="files",
    what="text, CSV, JSON, gzip, Kinesis, Firehose and Parquet files with damage: `flowwarden read`",
    make=make,
    check=check,
    share=0.05,
)
