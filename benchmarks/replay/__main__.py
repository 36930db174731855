"""`make replay-bench`: generates an archive, replays it in processes of their own, and prints the figures."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from msgspec import Struct

from benchmarks.evaluation.generator.generator import Generator
from benchmarks.evaluation.generator.model import ACCOUNT, BEGIN, REGION, Delivery, Network
from benchmarks.evaluation.monitor import described
from benchmarks.layouts import layouts
from benchmarks.progress import Progress
from flowwarden.replay.interface_file import InterfaceFile, encoded

SEED: Final = 61_843
WEEK: Final = 7 * 24
RATE: Final = 2.3
"""Conversations relative to the evaluation's: a week of 1,000 interfaces then has 20 million records."""
_HOUR: Final = 3600
_MIB: Final = 2**20


class Archive(Struct, frozen=True):
    """An archive on disk."""

    folder: Path
    interfaces: Path
    records: int
    bytes: int


class Measured(Struct, frozen=True):
    """One replay."""

    records: int
    seconds: float
    """Processor time of the whole process, with its start."""
    peak: int
    """Bytes of resident memory."""
    pages: int
    incidents: list[tuple[str, ...]]
    """Detectors and subject of each incident that was paged."""

    @property
    def speed(self) -> float:
        """Records per second and core."""
        return self.records / self.seconds


def write_archive(folder: Path, interfaces: int, hours: int, rate: float) -> Archive:
    """Generate an archive: a file for each hour, as flow logs in S3 have."""
    network = Network(
        seed=SEED, layout=layouts()["template"], interfaces=interfaces, learning_days=0,
        judged_days=-(-hours // 24), judged_rate=rate,
    )  # fmt: skip
    generator, lines = Generator(network), _Lines(folder, " ".join(network.layout.names))
    end = BEGIN + hours * _HOUR
    with Progress(sys.stderr, hours) as progress:
        while not generator.over:
            for delivery in generator.next_day():
                if delivery.arrived < end and lines.add(delivery):
                    progress.step("generating", f"{lines.count:,} records")
    lines.close()
    file = InterfaceFile(
        account=ACCOUNT, region=REGION, interfaces=tuple(map(described, generator.interfaces().values()))
    )
    path = folder.parent / "interfaces.json"
    path.write_text(encoded(file))
    return Archive(folder, path, lines.count, sum(each.stat().st_size for each in folder.iterdir()))


class _Lines:
    """Writes deliveries into a file for each hour of their arrival."""

    def __init__(self, folder: Path, header: str) -> None:
        folder.mkdir()
        self.count = 0
        self._folder = folder
        self._header = header
        self._hour = -1
        self._file: Any = None

    def add(self, delivery: Delivery) -> bool:
        """Write a delivery; returns whether it began an hour."""
        hour = (delivery.arrived - BEGIN) // _HOUR
        begins = hour != self._hour
        if begins:
            self.close()
            self._hour = hour
            self._file = (self._folder / f"hour-{hour:04}.log").open("w")
            self._file.write(f"{self._header}\n")
        self._file.writelines(f"{line}\n" for line in delivery.lines)
        self.count += len(delivery.lines)
        return begins

    def close(self) -> None:
        """Close the file of the hour."""
        if self._file is not None:
            self._file.close()


def replay(archive: Archive, *options: str) -> Measured:
    """Replay an archive with the command, in a process of its own."""
    arguments = ["replay", str(archive.folder), "--interfaces", str(archive.interfaces), "--format", "json"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.replay.child", *arguments, *options],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    found = json.loads(done.stderr.splitlines()[-1])
    result = json.loads(done.stdout)
    records = result["records"]
    return Measured(
        records=sum(records[name] for name in ("accepted", "rejected", "other", "gaps", "malformed")),
        seconds=found["seconds"],
        peak=found["peak"],
        pages=result["pages"],
        incidents=[
            (*each["detectors"], each["subject"]) for each in result["incidents"] if each["route"] == "pages"
        ],
    )


def rows(archive: Archive, sliced: Measured, delivered: Measured | None) -> list[str]:
    """The figures as text."""
    found = [
        f"{archive.records:,} records, {archive.bytes / _MIB:,.0f} MiB of text",
        f"in slices: {_row(sliced)}",
    ]
    if delivered is not None:
        both = {*sliced.incidents} & {*delivered.incidents}
        found.append(f"as delivered: {_row(delivered)}")
        found.append(
            f"incidents found by both: {len(both)}; in slices alone: {len({*sliced.incidents} - both)}; "
            f"as delivered alone: {len({*delivered.incidents} - both)}"
        )
    return found


def _row(one: Measured) -> str:
    return (
        f"{one.speed:,.0f} records/s per core ({one.seconds:,.1f} s of processor time), "
        f"peak {one.peak / _MIB:,.0f} MiB, {one.pages} pages"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure with these arguments."""
    parser = argparse.ArgumentParser(prog="make replay-bench", description=__doc__)
    parser.add_argument("--interfaces", type=int, default=1000, help="interfaces (default: 1000)")
    parser.add_argument("--hours", type=int, default=24, help="hours of traffic (default: 24)")
    parser.add_argument("--week", action="store_true", help="a week: 20 million records, about an hour")
    parser.add_argument("--rate", type=float, default=RATE, help=f"conversations (default: {RATE})")
    parser.add_argument(
        "--as-delivered",
        action="store_true",
        help="measure --as-delivered, too, which takes ten times as long",
    )
    options = parser.parse_args(arguments)
    begin = time.monotonic()
    with TemporaryDirectory(prefix="replay-") as folder:
        hours = WEEK if options.week else options.hours
        archive = write_archive(Path(folder) / "archive", options.interfaces, hours, options.rate)
        sliced = replay(archive)
        delivered = replay(archive, "--as-delivered") if options.as_delivered else None
    print("\n".join(rows(archive, sliced, delivered)))
    print(f"{time.monotonic() - begin:,.0f} s in all, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
