"""Does a flow log deliver? Pure: what EC2 says of it, and whose records were seen, lead to an answer.

Records prove it: an interface of what the flow log watches wrote into its log group, in a slot of
`state.heartbeats` that began after the flow log was made. EC2's own word (`DeliverLogsStatus`) is SUCCESS
from the first moment, so it counts only when it has lasted for `SETTLED_SECONDS`, and only where no records
can be expected or seen: no interface is active (`state.interface_activity`), or the destination is none that
the monitor reads (S3, Firehose, the log groups of others). FAILED always counts.

Those destinations are tried every five to ten minutes, so that what could not be written there has shown as
FAILED by then. That is the most that can be told without reading other people's buckets.
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
SETTLED_SECONDS: Final = 20 * 60
SILENCE_SECONDS: Final = 2 * 3600
"""How long an active interface may be silent. It writes a record in each window of at most ten minutes (or
says NODATA), which arrive some minutes later; the rest is patience with a Region that is late."""
SLOTS: Final = SILENCE_SECONDS // SLOT + 1
"""How many slots are looked at, the one that is not over included."""

type Seen = Mapping[str, Mapping[int, AbstractSet[int]]]
"""By log group and slot: the numbers of the interfaces that wrote (`heartbeats.number_of`)."""


class Delivery(StrEnum):
    """Whether a flow log delivers."""

    DELIVERING = "DELIVERING"
    FAILED = "FAILED"
    """EC2 says so."""
    SILENT = "SILENT"
    """Others wrote into the log group meanwhile; no interface that this one watches did."""
    UNPROVEN = "UNPROVEN"
    """Too early to tell, or the monitor saw nobody's records."""


class DeliveryInputs(Struct, frozen=True, kw_only=True):
    """What is known when a flow log is looked at."""

    interfaces: tuple[NetworkInterface, ...]
    """That it watches."""
    seen: Seen
    at: int
    """Unix seconds."""


def slots(now: int) -> range:
    """The slots in which records are looked for."""
    return range(slot_of(now) - SLOTS + 1, slot_of(now) + 1)


def delivery(flow_log: FlowLog, log_group: str | None, watched: DeliveryInputs) -> Delivery:
    """Whether a flow log delivers.

    Args:
        flow_log: as EC2 describes it. One whose creation time is not told counts as old.
        log_group: where it writes, if the monitor reads there; else None.
        watched: what is known besides.
    """
    if flow_log.deliver_logs_status == FAILED:
        return Delivery.FAILED
    age = watched.at - (flow_log.creation_time or 0)
    # Nobody can tell whether some are active: then records may be expected, and a status is no proof.
    active = frozenset(
        number
        for each in watched.interfaces
        if each.at_work and (number := number_of(each.interface_id)) is not None
    )
    if log_group is None or not active:
        return Delivery.DELIVERING if age >= SETTLED_SECONDS else Delivery.UNPROVEN
    written = watched.seen.get(log_group, {})
    born = slot_of(flow_log.creation_time or 0)
    if any(active & numbers for slot, numbers in written.items() if slot > born):
        return Delivery.DELIVERING
    late = any(writes_since(each, SILENCE_SECONDS, watched.at) for each in watched.interfaces)
    silent = late and age >= SILENCE_SECONDS and _others_wrote(written)
    return Delivery.SILENT if silent else Delivery.UNPROVEN


def _others_wrote(written: Mapping[int, AbstractSet[int]]) -> bool:
    """Whether the monitor read the group all the time: somebody wrote in each slot that is over."""
    over = sorted(written)[:-1]
    return len(over) == SLOTS - 1 and all(written[slot] for slot in over)
