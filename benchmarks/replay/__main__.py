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
from msgspec.structs import replace

from benchmarks.evaluation.generator.generator import Generator
from benchmarks.evaluation.generator.model import BEGIN, Network
from benchmarks.layouts import layouts
from benchmarks.progress import Progress
from benchmarks.replay.archive import HOUR, Archive, ArchiveWriter, interface_file
from benchmarks.replay.difference import difference, report
from benchmarks.replay.evaluated import found_by_both
from flowwarden.replay.interface_file import encoded

SEED: Final = 61_843
WEEK: Final = 7 * 24
RESULTS: Final = Path(__file__).parents[1] / "replay.md"
"""The last comparison that was written."""
_HEAD: Final = """\
# What a replay finds

Written by `make replay-bench ARGS="--compare --write"`; [README.md](README.md#replay) describes it.

"""
RATE: Final = 2.3
"""Conversations relative to the evaluation's: a week of 1,000 interfaces then has 20 million records."""
_MIB: Final = 2**20


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
    generator, lines = Generator(network), ArchiveWriter(folder, network.layout)
    end = BEGIN + hours * HOUR
    with Progress(sys.stderr, hours) as progress:
        while not generator.over:
            for delivery in generator.next_day():
                if delivery.arrived < end and lines.add(delivery):
                    progress.step("generating", f"{lines.count:,} records")
    lines.close()
    path = folder.parent / "interfaces.json"
    path.write_text(encoded(interface_file(generator.interfaces().values())))
    return Archive(folder, path, lines.count, sum(each.stat().st_size for each in folder.iterdir()))


def replay(archive: Archive, *options: str) -> Measured:
    """Replay an archive with the command, in a process of its own."""
    done, found = _run(archive, "--format", "json", *options)
    result = json.loads(done)
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


def replay_to_text(archive: Archive, like: Measured) -> Measured:
    """The time and memory with the summary as text, which does not observe the traffic for a report.

    The records and pages are those of the other run.
    """
    _, found = _run(archive, "--format", "text")
    return replace(like, seconds=found["seconds"], peak=found["peak"])


def _run(archive: Archive, *options: str) -> tuple[str, dict[str, Any]]:
    """Replay an archive; return the output, and the figures of the process."""
    arguments = ["replay", str(archive.folder), "--interfaces", str(archive.interfaces)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.replay.child", *arguments, *options],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout, json.loads(done.stderr.splitlines()[-1])


def rows(archive: Archive, plain: Measured, sliced: Measured, delivered: Measured | None) -> list[str]:
    """The figures as text."""
    found = [
        f"{archive.records:,} records, {archive.bytes / _MIB:,.0f} MiB of text",
        f"in slices, summary as text: {_row(plain)}",
        f"in slices, as JSON with what the report shows: {_row(sliced)}",
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


def compare(options: argparse.Namespace) -> int:
    """Compare with the evaluation; return the exit code."""
    hours = WEEK if options.week else options.hours
    network = Network(
        seed=SEED, layout=layouts()["template"], interfaces=options.interfaces,
        learning_days=options.learning, judged_days=-(-hours // 24), judged_rate=options.rate,
        incidents_of_each_kind=options.incidents,
    )  # fmt: skip
    with TemporaryDirectory(prefix="replay-") as folder:
        both = found_by_both(
            network,
            Path(folder) / "archive",
            network.judged_from + hours * HOUR,
            lambda text: print(text, file=sys.stderr),
            as_delivered=options.as_delivered,
        )
    found = difference(both)
    text = f"{_described(network, hours)}\n\n{report(found)}"
    print(text)
    if options.write:
        RESULTS.write_text(f"{_HEAD}{text}\n")
    for failure in found.failures if options.check else ():
        print(f"found less: {failure}", file=sys.stderr)
    return 1 if options.check and found.failures else 0


def _described(network: Network, hours: int) -> str:
    return (
        f"{network.interfaces:,} interfaces; {network.learning_days} days of learning, then {hours} hours; "
        f"incidents of each kind: {network.incidents_of_each_kind}; seed: {network.seed}."
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
    compared = parser.add_argument_group("comparison with the evaluation of detection")
    compared.add_argument(
        "--compare",
        action="store_true",
        help="instead of measuring, count which labeled incidents the replay and the evaluation find",
    )
    compared.add_argument("--learning", type=int, default=14, help="days without incidents before")
    compared.add_argument("--incidents", type=int, default=1, help="incidents of each kind (default: 1)")
    compared.add_argument("--check", action="store_true", help="fail if the replay finds less")
    compared.add_argument("--write", action="store_true", help="write the result to benchmarks/replay.md")
    options = parser.parse_args(arguments)
    begin = time.monotonic()
    if options.compare:
        return compare(options)
    with TemporaryDirectory(prefix="replay-") as folder:
        hours = WEEK if options.week else options.hours
        archive = write_archive(Path(folder) / "archive", options.interfaces, hours, options.rate)
        sliced = replay(archive)
        delivered = replay(archive, "--as-delivered") if options.as_delivered else None
        plain = replay_to_text(archive, sliced)
    print("\n".join(rows(archive, plain, sliced, delivered)))
    print(f"{time.monotonic() - begin:,.0f} s in all, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
