"""A log group and its interfaces in memory, for `flowwarden replay` and `flowwarden interfaces`."""

from __future__ import annotations

from typing import Final

from flowwarden.bootstrap.log_archive import LogArchive
from flowwarden.network.interface import NetworkInterface
from flowwarden.replay.interface_file import InterfaceFile
from tests.replay.archives import BEGIN, LAYOUT, SCANNER, ordinary, scan

INTERFACES: Final = InterfaceFile(
    account="111122223333",
    region="eu-west-1",
    interfaces=(
        NetworkInterface(
            interface_id=f"eni-{66:017x}", vpc_id="vpc-1", addresses=(SCANNER,), tags={"Role": "inventory"}
        ),
    ),
)


def log_group() -> LogArchive:
    """A log group with a scan, whose interfaces are known."""
    lines = [*ordinary(1, 3), *scan(BEGIN + 600)]
    return LogArchive(messages=lambda *_: iter([lines]), layouts=(LAYOUT,), known=INTERFACES)
