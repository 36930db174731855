"""The transit gateways that get flow logs, and what these look like: a part of the policy. Pure.

Their records have fields of their own, and neither an interface nor an action, so no detector can judge them.
They therefore go to a log group of their own, which the monitor does not read, or to S3 or Firehose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

SUFFIX: Final = "transit-gateways"
"""Of the log group: the stack's log group name, then `-`, then this."""
INTERVAL: Final = 60
"""Seconds: the only aggregation interval that EC2 accepts for transit gateways."""
LOG_FORMAT: Final = " ".join(
    f"${{{name}}}"
    for name in (
        *("version", "resource-type", "account-id", "tgw-id", "tgw-attachment-id"),
        *("tgw-src-vpc-account-id", "tgw-dst-vpc-account-id", "tgw-src-vpc-id", "tgw-dst-vpc-id"),
        *("tgw-src-subnet-id", "tgw-dst-subnet-id", "tgw-src-eni", "tgw-dst-eni", "tgw-src-az-id"),
        *("tgw-dst-az-id", "tgw-pair-attachment-id", "srcaddr", "dstaddr", "srcport", "dstport"),
        *("protocol", "packets", "bytes", "start", "end", "log-status", "type"),
        *("packets-lost-no-route", "packets-lost-blackhole", "packets-lost-mtu-exceeded"),
        *("packets-lost-ttl-expired", "tcp-flags", "region", "flow-direction"),
        *("pkt-src-aws-service", "pkt-dst-aws-service"),
    )
)
"""All fields, in the order of AWS's default format (Transit Gateway guide, Flow log records)."""
_ID: Final = re.compile(r"tgw-[0-9a-f]+")
_TAKEN: Final = re.compile(rf"{SUFFIX}(-[0-9a-f]{{8}})?")


class GatewaySelection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A selection of transit gateways: those of this account that match every given condition."""

    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    tags: dict[str, str] = {}
    """Tags that the transit gateway must have, all of them; the value `*` matches any value."""
    ids: tuple[str, ...] = ()


class TransitGateways(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which transit gateways get flow logs: none by default."""

    where: tuple[GatewaySelection, ...] = ()
    """A transit gateway that one of these selects gets a flow log."""
    destination_type: str = "cloud-watch-logs"
    destination: str = ""
    """ARN of the bucket or the Firehose stream; '' for the log group."""
    retention_days: int | None = None
    """Of the log group; None for the stack's."""
    tags: dict[str, str] = {}
    """In addition to those that the enforcer sets."""


def is_gateway(resource_id: str) -> bool:
    """Whether this is the id of a transit gateway, not of an attachment of one."""
    return resource_id.startswith("tgw-") and not resource_id.startswith("tgw-attach-")


def is_taken(suffix: str) -> bool:
    """Whether a log group with this suffix would be that of transit gateways, or its alternate."""
    return _TAKEN.fullmatch(suffix) is not None


def id_problems(selections: tuple[GatewaySelection, ...]) -> Iterator[tuple[str, str]]:
    """The ids that are none of transit gateways, each with its place."""
    for number, selection in enumerate(selections):
        for place, value in enumerate(selection.ids):
            if not _ID.fullmatch(value):
                yield f"[{number}].ids[{place}]", f"{value!r}; write an id such as tgw-0a1b2c3d"
