"""Decides whether a flow log delivers, from its EC2 status and the records that the monitor saw. Pure.

Records verify delivery: an interface that the flow log records wrote into its log group, in a slot of
`state.heartbeats` that began after the flow log was created. The EC2 status (`DeliverLogsStatus`) is SUCCESS
from the start, so it counts only after it has lasted for `SETTLED_SECONDS`, and only if no records can be
expected or seen: no interface is active (`state.interface_activity`), or the monitor does not read the
destination (S3, Firehose, other log groups). FAILED always counts, and so do an error message without a
status and a flow log that is not ACTIVE.

Delivery to those destinations is attempted every five to ten minutes, so a failed write has set the status
to FAILED by then. Without reading the destination itself, no better evidence exists.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from enum import StrEnum
from typing import Final

from msgspec import Struct

from flowwarden.enforcer.state.interface_activity import writes_since
from flowwarden.enforcer.state.inventory import FlowLog
from flowwarden.network.interface import NetworkInterface
from flowwarden.state.heartbeats import SLOT, number_of, slot_of

FAILED: Final = "FAILED"
SUCCESS: Final = "SUCCESS"
ACTIVE: Final = "ACTIVE"
SETTLED_SECONDS: Final = 20 * 60
SILENCE_SECONDS: Final = 2 * 3600
"""How long an active interface may be silent. It writes a record (or NODATA) in each window of at most ten
minutes, which arrives some minutes later. The rest is a margin for a Region with delayed delivery."""
SLOTS: Final = SILENCE_SECONDS // SLOT + 1
"""The number of slots to check, including the current one."""

type Seen = Mapping[str, Mapping[int, AbstractSet[int]]]
"""By log group and slot: the numbers of the interfaces that wrote (`heartbeats.number_of`)."""


class Delivery(StrEnum):
    """Whether a flow log delivers."""

    DELIVERING = "DELIVERING"
    FAILED = "FAILED"
    """EC2 reports the failure, or that the flow log is not active."""
    SILENT = "SILENT"
    """Other interfaces wrote into the log group in that time, but none that this flow log records."""
    UNPROVEN = "UNPROVEN"
    """Too early to decide, or the monitor did not see records in every slot."""


class DeliveryInputs(Struct, frozen=True, kw_only=True):
    """The inputs for judging a flow log."""

    interfaces: tuple[NetworkInterface, ...]
    """The interfaces that the flow log records."""
    seen: Seen
    at: int
    """Unix seconds."""


def slots(now: int) -> range:
    """The slots that are searched for records."""
    return range(slot_of(now) - SLOTS + 1, slot_of(now) + 1)


def reports_failure(flow_log: FlowLog) -> bool:
    """Whether EC2 reports that the delivery fails: by the status, or by an error message without a status."""
    if flow_log.deliver_logs_status:
        return flow_log.deliver_logs_status == FAILED
    return bool(flow_log.deliver_logs_error_message)


def is_active(flow_log: FlowLog) -> bool:
    """Whether EC2 records the traffic at all; a status that is not described counts as active."""
    return flow_log.flow_log_status in {None, ACTIVE}


def may_deliver(flow_log: FlowLog) -> bool:
    """Whether the flow log may deliver: EC2 reports no failure."""
    return is_active(flow_log) and not reports_failure(flow_log)


def delivery(flow_log: FlowLog, log_group: str | None, watched: DeliveryInputs) -> Delivery:
    """Whether a flow log delivers.

    Args:
        flow_log: the flow log as EC2 describes it. Without a creation time, it counts as old.
        log_group: the log group that it writes into, if the monitor reads that; otherwise None.
        watched: the other inputs.
    """
    if not may_deliver(flow_log):
        return Delivery.FAILED
    age = watched.at - (flow_log.creation_time or 0)
    # Unknown activity counts as active: records may be expected, so the status verifies nothing.
    active = frozenset(
        number
        for each in watched.interfaces
        if each.at_work and (number := number_of(each.interface_id)) is not None
    )
    if log_group is None or not active:
        succeeds = flow_log.deliver_logs_status in {None, SUCCESS}
        return Delivery.DELIVERING if succeeds and age >= SETTLED_SECONDS else Delivery.UNPROVEN
    written = watched.seen.get(log_group, {})
    created = slot_of(flow_log.creation_time or 0)
    if any(active & numbers for slot, numbers in written.items() if slot > created):
        return Delivery.DELIVERING
    late = any(writes_since(each, SILENCE_SECONDS, watched.at) for each in watched.interfaces)
    silent = late and age >= SILENCE_SECONDS and others_wrote(written)
    return Delivery.SILENT if silent else Delivery.UNPROVEN


def others_wrote(written: Mapping[int, AbstractSet[int]]) -> bool:
    """Whether the monitor read the group all the time: an interface wrote in each completed slot."""
    over = sorted(written)[:-1]
    return len(over) == SLOTS - 1 and all(written[slot] for slot in over)
