"""The counts that docs/cost.md is computed from, stored in counts.json."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

STORED: Final = Path(__file__).with_name("counts.json")

QUIET, ORDINARY, BUSY = "quiet", "ordinary", "busy"
MANY: Final = 64
"""Containers of the sample that shows what each container adds."""


class Sample(Struct, frozen=True, kw_only=True):
    """What the monitor and the dispatcher used in some hours of traffic."""

    traffic: str
    batch_minutes: int
    """Minutes of traffic in a batch."""
    containers: int
    """Containers of the monitor that share the batches."""
    interface_hours: float
    batches: int
    records: int
    record_bytes: int
    """Bytes of all records as text."""
    write_units: float
    read_units: float
    table_calls: int
    line_bytes: int
    """Bytes of the monitor's log lines."""
    metric_bytes: int
    """Bytes of the metrics that it writes to its log."""
    metrics: int
    """Its metrics that had a value, without those by detector."""

    @property
    def log_bytes(self) -> int:
        """All bytes that the monitor writes to its log."""
        return self.line_bytes + self.metric_bytes

    @property
    def records_per_minute(self) -> float:
        """Records of an interface per minute."""
        return self.records / self.interface_hours / 60


class Counts(Struct, frozen=True):
    """All samples."""

    interfaces: int
    """Interfaces of the sample."""
    seed: int
    samples: tuple[Sample, ...]
    incident_writes: float
    """Write units of an incident that is opened and resolved, of both functions."""
    incident_reads: float
    idle_reads: float
    """Read units of a run of the dispatcher without an incident that is due."""
    stored_bytes: int
    """Bytes of the state table after the days of learning, without incidents."""
    roles: int
    """Roles with a baseline."""
    microseconds: dict[int, float]
    """Processor time from a payload to its findings, by its records: from benchmarks/results.md."""

    @property
    def ordinary(self) -> Sample:
        """The sample of ordinary traffic in batches of a minute."""
        return self.sample(ORDINARY, 1, 1)

    @property
    def ordinary_many(self) -> Sample:
        """The same with many containers."""
        return self.sample(ORDINARY, 1, MANY)

    def sample(self, traffic: str, batch_minutes: int, containers: int) -> Sample:
        """The sample with these parameters. Raises LookupError."""
        for each in self.samples:
            if (each.traffic, each.batch_minutes, each.containers) == (traffic, batch_minutes, containers):
                return each
        raise LookupError(f"no sample of {traffic}, {batch_minutes} minutes, {containers} containers")


def load(path: Path = STORED) -> Counts:
    """The stored counts."""
    return msgspec.json.decode(path.read_bytes(), type=Counts)


def save(counts: Counts, path: Path = STORED) -> None:
    """Store the counts."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(counts), indent=2) + b"\n")
