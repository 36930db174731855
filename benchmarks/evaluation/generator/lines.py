"""Fast writing of records as lines, in any layout with fields of this table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from benchmarks.evaluation.generator.model import REGION, Interface
from flowwarden.records.log_format import LogFormat

VARIABLE: Final = (
    *("srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets", "bytes", "start", "end"),
    *("action", "tcp-flags", "type", "pkt-srcaddr", "pkt-dstaddr"),
    *("pkt-src-aws-service", "pkt-dst-aws-service", "flow-direction", "traffic-path"),
)
"""The fields that vary between records, in the order of a writer's arguments."""

_GAP_VARIABLE: Final = {"log-status": "{0}", "start": "{1}", "end": "{2}"}
_GAP_FILLED: Final = frozenset({"version", "account-id", "interface-id", "start", "end", "log-status"})


def writer(layout: LogFormat, interface: Interface) -> Callable[..., str]:
    """A function that takes the values of `VARIABLE` and returns the line."""
    return " ".join(_token(name, layout, interface) for name in layout.names).format


def gap_writer(layout: LogFormat, interface: Interface) -> Callable[..., str]:
    """A function that takes NODATA or SKIPDATA, start and end, and returns the line of such a window."""
    values = {**_constant(layout, interface), **_GAP_VARIABLE}
    return " ".join(values[name] if name in _GAP_FILLED else "-" for name in layout.names).format


def _token(name: str, layout: LogFormat, interface: Interface) -> str:
    if name in VARIABLE:
        return f"{{{VARIABLE.index(name)}}}"
    return _constant(layout, interface).get(name, "-")


def _constant(layout: LogFormat, interface: Interface) -> dict[str, str]:
    """The values common to all records of an interface."""
    return {
        "version": str(max(field.version or 2 for field in layout.fields)),
        "account-id": interface.account_id,
        "interface-id": interface.interface_id,
        "log-status": "OK",
        "vpc-id": interface.vpc_id,
        "subnet-id": interface.subnet_id,
        "instance-id": interface.instance_id or "-",
        "region": REGION,
        "az-id": interface.az_id,
    }
