"""The one table of state: every kind of item that Flow Warden stores in its DynamoDB table.

The code builds its keys from these rows and takes its retention and its budgets from them. `make docs` writes
docs/state.md from them. A stored item outlives a deployment, so a changed prefix loses what was stored.

An item of sets has its time in its key: each hour, day or slot is an item of its own. `ttl` counts from the
beginning of that time.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from flowwarden.state.sets import DAY, HOUR

SETS: Final = "evidence"
"""Sort key of the items that hold sets of numbers."""
WORK: Final = "enforcer"
"""Partition of what the enforcer has to do. One query reads it, so each run knows whether there is work."""
WORK_TTL: Final = 3 * DAY
"""A lost item of the enforcer does no harm: the sweep checks every VPC in any case."""

DAYS_READ: Final = 30
"""Days of a role that are read back: what happens every second week is usual, too. Kept for twice as long."""

MOST_HOSTS: Final = 32
"""Hosts at an interface that a batch remembers, those with most new contacts first: pods, or hosts behind a
NAT instance. Each costs two writes."""
MOST_WINDOWS: Final = 4
"""Hours, and days, of a host that a batch adds to, the latest ones."""
MOST_REFUSED: Final = 32
"""Refusals that a batch holds against what is usual, those with most packets first. Each costs two writes at
most. An attacker who can make up own addresses could make each record a refusal of its own."""
MOST_SCANNERS: Final = 16
"""Internet hosts that a batch remembers at an interface, so that a flood of them is no flood of writes."""
MOST_SUSPECTS: Final = 16
"""Visitors that were refused, but at too few places yet, whose visits a batch remembers. Each costs two
writes."""
MOST_LOST: Final = 16
"""Interfaces with skipped records that a batch remembers. Each costs two writes. Most batches have one
interface."""
MOST_UPLOADS: Final = 8
"""Hosts and hours of an interface that a batch remembers, those with most uploads first. Each costs two
writes."""


class Item(Struct, frozen=True, kw_only=True):
    """One kind of item."""

    name: str
    """What the documentation calls it."""
    prefix: str
    """How the key begins. The parts of the key follow, with `#` between them."""
    key: tuple[str, ...]
    """Names of the key's parts."""
    sets: tuple[str, ...] = ()
    """Names of the sets of numbers that it holds."""
    sort: str = SETS
    """Its sort key, unless `partition` is given."""
    partition: str = ""
    """The partition key of items that share one; their key is the sort key then."""
    ttl: int
    """Seconds that the table keeps it."""
    ttl_from: str = "the beginning of its time"
    """When `ttl` begins."""
    per_batch: int = 0
    """Budget of writes of one batch, at one interface where the monitor judges each by itself; 0 for none."""
    why: str
    """What it is for, and what the budget means. Stands in docs/state.md."""

    def key_of(self, *parts: object) -> str:
        """The key of one item, from the values of its parts."""
        if len(parts) != len(self.key):
            raise ValueError(f"a key of {self.name} has the parts {self.key}, not {parts}")
        return self.prefix + "#".join(map(str, parts))

    def address(self, *parts: object) -> tuple[str, str]:
        """Partition key and sort key of one item."""
        key = self.key_of(*parts)
        return (self.partition, key) if self.partition else (key, self.sort)

    def kept_until(self, begin: int) -> int:
        """When (Unix seconds) the table may drop an item whose `ttl` began at `begin`."""
        return begin + self.ttl


_CONTACTS: Final = (
    "failed", "failed-usual", "failed-networks", "failed-outside", "answered", "answered-by",
    "answered-outside", "administered", "sessions",
)  # fmt: skip

CONTACTS_HOUR: Final = Item(
    name="contacts of an hour", prefix="contacts#1h#", key=("hour", "scope/host"), sets=_CONTACTS,
    ttl=2 * HOUR, per_batch=MOST_HOSTS * MOST_WINDOWS,
    why="What a host contacted that is new for its role. The detectors scan and brute-force count it over "
    f"batches. A batch adds {MOST_HOSTS} hosts, and the latest {MOST_WINDOWS} hours of each.",
)  # fmt: skip
CONTACTS_DAY: Final = Item(
    name="contacts of a day", prefix="contacts#24h#", key=("day", "scope/host"), sets=_CONTACTS,
    ttl=2 * DAY, per_batch=MOST_HOSTS * MOST_WINDOWS,
    why="The same over a day, which lateral-movement needs, and scan for slow ones. A batch adds "
    f"{MOST_HOSTS} hosts, and the latest {MOST_WINDOWS} days of each.",
)  # fmt: skip
REFUSALS: Final = Item(
    name="refusals", prefix="refused#", key=("day", "scope/host", "peer class", "service"),
    sets=("refused",), ttl=2 * DAY, per_batch=2 * MOST_REFUSED,
    why="The slots of ten minutes in which a service refused a host. blocked-connection pages when they "
    f"go on. A batch adds {MOST_REFUSED} refusals, and near midnight the next day of each.",
)  # fmt: skip
SCANNERS: Final = Item(
    name="scanners", prefix="scanner#", key=("day", "address"), sets=("refused-at", "visited"),
    ttl=2 * DAY, per_batch=MOST_SCANNERS + 2 * MOST_SUSPECTS,
    why="The places that refused an internet host, and the services that answered it. scanner-connected "
    f"compares them. A batch adds {MOST_SCANNERS} hosts that were refused, and the visits of "
    f"{MOST_SUSPECTS} others to two days each.",
)  # fmt: skip
ATTEMPTS: Final = Item(
    name="attempts", prefix="tried#", key=("interface/host", "slot"), sets=("tried",),
    ttl=2 * DAY, per_batch=12,
    why="What the internet tried at a host and was refused, by slots of ten minutes. reject-spike compares "
    "a slot with the day before. A batch adds the hosts and slots with most attempts.",
)  # fmt: skip
UPLOADS: Final = Item(
    name="uploads", prefix="sent#", key=("scope/host", "hour"), sets=("sent",),
    ttl=2 * HOUR, per_batch=MOST_UPLOADS,
    why="The large records that a host sent to the internet, with their sizes. egress-volume adds them up. "
    "A batch adds the hosts and hours with most uploads.",
)  # fmt: skip
UPLOAD_SIZES: Final = Item(
    name="upload sizes", prefix="sizes#", key=("role", "day"), sets=("sizes",),
    ttl=2 * DAYS_READ * DAY, per_batch=MOST_UPLOADS,
    why="How much the hosts of a role sent in an hour, as powers of two. egress-volume reads the last "
    f"{DAYS_READ} days to know what is usual.",
)  # fmt: skip
BASELINES: Final = Item(
    name="baselines", prefix="edges#", key=("role", "day"), sets=("edges",), ttl=2 * DAYS_READ * DAY,
    why="What a role did on a day: direction, protocol, port and peer. The baseline is what several of the "
    f"last {DAYS_READ} days have. A container writes each edge of a role and day once.",
)  # fmt: skip
SKIPPED: Final = Item(
    name="skipped records", prefix="lost#", key=("interface", "hour"), sets=("lost",),
    ttl=2 * DAY, per_batch=2 * MOST_LOST,
    why="The minutes at which windows with SKIPDATA began, in two hours that overlap with the next two. "
    f"records-skipped counts them. A batch adds {MOST_LOST} interfaces, two items for the windows of one "
    "hour; windows of a further hour add one more.",
)  # fmt: skip
HEARTBEATS: Final = Item(
    name="heartbeats", prefix="seen#", key=("log group", "slot", "shard"), sets=("interfaces",),
    ttl=2 * DAY,
    why="The interfaces that wrote into a log group, by slots of half an hour. interface-silent looks for "
    "one that stopped, and the enforcer for proof that a flow log delivers. A container writes every ten "
    "minutes, so there is no budget for a batch. The log group `*` stands for all together.",
)  # fmt: skip
INCIDENTS: Final = Item(
    name="incidents", prefix="incident#", key=("sink", "incident key"), sort="claim",
    ttl=7 * DAY, ttl_from="the end of its quiet time",
    why="Which invocation notifies a sink of an incident, and when one did. Each sink has its own item, so "
    "one that fails does not hold others back. It outlives its quiet time, so that the next page can say "
    "what came before. A repeat costs two writes, anything else one or two.",
)  # fmt: skip
LOG_FORMATS: Final = Item(
    name="log formats", prefix="layouts#", key=("log group",), sort="formats",
    ttl=7 * DAY, ttl_from="the last time that a container asked EC2",
    why="The formats of the flow logs that write into a log group. Containers share them, and use them "
    "while EC2 does not answer.",
)  # fmt: skip
WORK_ITEMS: Final = Item(
    name="work items", prefix="vpc#", key=("VPC",), partition=WORK,
    ttl=WORK_TTL, ttl_from="the time at which the VPC is due",
    why="A VPC that the enforcer has to look at again, and why.",
)  # fmt: skip
SWEEP_CURSOR: Final = Item(
    name="sweep cursor", prefix="cursor", key=(), partition=WORK,
    ttl=WORK_TTL, ttl_from="the time at which the sweep stopped",
    why="Where a sweep stopped that did not finish in time. The next run goes on from there.",
)  # fmt: skip

ITEMS: Final = (
    CONTACTS_HOUR, CONTACTS_DAY, REFUSALS, SCANNERS, ATTEMPTS, UPLOADS, UPLOAD_SIZES, BASELINES, SKIPPED,
    HEARTBEATS, INCIDENTS, LOG_FORMATS, WORK_ITEMS, SWEEP_CURSOR,
)  # fmt: skip
"""Every kind of item, in the order of docs/state.md."""
