"""Archives for replays: the deliveries of a network in a folder, with a file for each hour, as in S3."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from benchmarks.evaluation.generator.model import ACCOUNT, BEGIN, REGION, Delivery, Interface
from benchmarks.evaluation.monitor import described
from flowwarden.records.log_format import LogFormat
from flowwarden.replay.interface_file import InterfaceFile

HOUR: Final = 3600


class Archive(Struct, frozen=True):
    """An archive on disk."""

    folder: Path
    interfaces: Path
    records: int
    bytes: int


class ArchiveWriter:
    """Writes deliveries into a file for each hour of their arrival."""

    def __init__(self, folder: Path, layout: LogFormat) -> None:
        folder.mkdir()
        self.count = 0
        self._folder = folder
        self._header = " ".join(layout.names)
        self._hour = -1
        self._file: Any = None

    def add(self, delivery: Delivery) -> bool:
        """Write a delivery; returns whether it began an hour."""
        hour = (delivery.arrived - BEGIN) // HOUR
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


def interface_file(interfaces: Iterable[Interface]) -> InterfaceFile:
    """The interfaces, as `flowwarden interfaces export` writes them."""
    return InterfaceFile(account=ACCOUNT, region=REGION, interfaces=tuple(map(described, interfaces)))
