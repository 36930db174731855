"""The schema of the state table: every kind of item that Flow Warden stores in DynamoDB.

The code takes keys, retention and budgets from these rows. `make docs` writes docs/state.md from them. Items
outlive a deployment, so changing a prefix loses the stored data. An item of sets has its hour, day or slot in
its key; `ttl` counts from the beginning of that time.
"""

from __future__ import annotations

from typing import Final

from flowwarden.state.bits import BUCKET, PEER, SESSION, SHOWN
from flowwarden.state.item import Item
from flowwarden.state.sets import DAY, HOUR

WORK: Final = "work-queue"
"""Partition of the enforcer's work queue. One query reads it, so each run knows whether there is work."""
OUTBOX: Final = "outbox"
"""Partition of the enforcer's reports that are not sent yet."""
WORK_TTL: Final = 3 * DAY
"""Losing an item of the work queue does no harm: the sweep checks every VPC anyway."""
REGISTRY: Final = "flow-logs"
"""Partition of what the enforcer stores about flow logs. One query reads it."""
MADE_MUTES: Final = "mutes"
"""Partition of the mutes made by command. One query reads it."""
ROLES: Final = "roles"
"""Partition of the roles with a baseline, whose keys nothing else lists. One query reads it."""

DAYS_READ: Final = 30
"""Days of a role's baseline that are read, so that biweekly traffic counts as usual. Items are kept for twice
as long."""

SHARED: Final = 32
"""Writes of a batch for whichever kinds of item need more than their own; see `state/write_budget.py`."""
MOST_HOSTS: Final = 32
"""Maximum hosts per interface that a batch inspects, those with most new contacts and those with most
answers of administration or databases: pods, or hosts behind a NAT instance. Each costs two writes."""
MOST_WINDOWS: Final = 4
"""Maximum hours, and days, per host that a batch adds to, latest first."""
MOST_SERVERS: Final = 1024
"""Maximum servers that count in a window of a host, of each kind of contact with them: many times what any
limit needs. There are no more than 4,096 numbers of servers."""
MOST_SESSIONS: Final = 1024
"""Maximum numbers about usual sessions that count in a window of a host, and as many about others. A host
that contacts thousands of servers would otherwise outgrow an item of the table."""
STORED_SESSIONS: Final = 8 * MOST_SESSIONS
"""Maximum numbers of each that a window stores, because later ones displace some of those that count."""
MOST_REFUSED: Final = 32
"""Maximum refusals per batch that blocked-connection, and as many that egress-denied, counts over time; those
with most packets or records first. Each costs at most two writes. An attacker that spoofs own addresses could
turn each record into a separate refusal."""
MOST_SCANNERS: Final = 16
"""Maximum internet hosts per interface that a batch stores, so that a flood of hosts causes few writes."""
MOST_CANDIDATES: Final = 16
"""Maximum internet hosts with refusals below the threshold whose answered connections a batch stores. Each
costs two writes."""
MOST_ATTEMPTS: Final = 12
"""Maximum (host, slot) pairs that a batch compares with the day before, those with most attempts first."""
MOST_SKIPPED: Final = 16
"""Maximum interfaces with skipped records that a batch stores. Each costs two writes. Most batches have one
interface."""
MOST_UPLOADS: Final = 8
"""Maximum (host, day) pairs per interface that a batch stores, largest first. Each costs two writes."""
MOST_RECORDS: Final = 256
"""Maximum records that count in a host's day of uploads: the sum has a standard deviation of 6 %."""
STORED_RECORDS: Final = 8 * MOST_RECORDS
"""Maximum records of a host's day that are stored, because later ones displace some of those that count. In
random order, a terabyte in records of 16 MB stores about half as many."""
MOST_NEW_EGRESS: Final = 8
"""Maximum new ports of the internet per batch that are stored, those with most contacts first. Each costs two
writes."""
MOST_REPORTED: Final = 4
"""Maximum subjects per batch that are stored to inhibit less severe findings in other batches, those of the
most severe findings first."""
MOST_CHANGES: Final = 5  # of a resource
MOST_EXPOSED: Final = 8
"""Maximum hosts per interface and batch whose sessions with internet hosts are stored. Each costs a write."""
_CONTACTS: Final = (
    "failed", "failed-usual", "failed-networks", "failed-outside", "answered", "answered-by",
    "answered-outside", "administered", "sessions", "denied",
)  # fmt: skip

CONTACTS_HOUR: Final = Item(
    name="contacts of an hour", prefix="contacts#1h#", key=("hour", "scope/host"), sets=_CONTACTS,
    bits=SESSION, ttl=2 * HOUR, per_batch=12,
    why="Contacts of a host outside its role's baseline, and usual administration in small sessions, per "
    "hour. The detectors scan and brute-force count them across batches. For each interface, a batch adds at "
    f"most {MOST_HOSTS} hosts, with the latest {MOST_WINDOWS} hours of each.",
)  # fmt: skip
CONTACTS_DAY: Final = Item(
    name="contacts of a day", prefix="contacts#24h#", key=("day", "scope/host"), sets=_CONTACTS,
    bits=SESSION, ttl=2 * DAY, per_batch=12,
    why="The same contacts per day, for lateral-movement, slow scans and slow password guessing. For each "
    f"interface, a batch adds at most {MOST_HOSTS} hosts, with the latest {MOST_WINDOWS} days of each.",
)  # fmt: skip
REFUSALS: Final = Item(
    name="refusals", prefix="refusals#", key=("day", "scope/host", "peer class", "service"),
    sets=("refused",), ttl=2 * DAY, per_batch=10,
    why="10-minute slots in which a service refused a host, or outbound rules denied a service to a role. "
    "blocked-connection and egress-denied page if the refusals continue. Each of the two adds at most "
    f"{MOST_REFUSED} refusals per batch. They share the writes.",
)  # fmt: skip
NEW_EGRESS: Final = Item(
    name="new egress", prefix="new-egress#", key=("day", "role", "port"), sets=("slots",), ttl=2 * DAY,
    per_batch=4,
    why="10-minute slots in which a role used a TCP port of the internet that is new for it. new-egress-port "
    f"pages if the use continues. A batch adds at most {MOST_NEW_EGRESS} ports, to two days each.",
)  # fmt: skip
OUTSIDE_SESSIONS: Final = Item(
    name="sessions from outside", prefix="outside-sessions#", key=("day", "scope/host"), sets=("sessions",),
    bits=SESSION, ttl=2 * DAY, per_batch=4,
    why="Sessions of internet hosts with the administration and database ports of a host, by size. "
    f"internet-brute-force counts them. Of an interface, a batch adds {MOST_EXPOSED} hosts at most.",
)  # fmt: skip
REPORTED: Final = Item(
    name="reported findings", prefix="reported#", key=("day", "scope", "subject"),
    sets=("detected", "scan", "access", "egress"), ttl=3 * DAY, per_batch=MOST_REPORTED,
    why="Which detectors paged about a host or subnet, with the hour, what the host did, and whether it has "
    "an incident of its own. While repeats are suppressed, findings in other batches that these detectors "
    "inhibit do not page, and those about the same host join its incident. For a role, its hosts by what "
    f"they did as part of its incidents. A batch adds at most {MOST_REPORTED} subjects.",
)  # fmt: skip
SCANNERS: Final = Item(
    name="scanners", prefix="scanner#", key=("day", "address"), sets=("refused-at", "connected"),
    ttl=2 * DAY, per_batch=10,
    why="Destinations that refused an internet host, and services that answered it. scanner-connected "
    f"compares them. Scanners of the day before are copied. For each interface, a batch adds {MOST_SCANNERS} "
    f"refused hosts at most, and answered connections of {MOST_CANDIDATES} others, to the items of two days.",
)  # fmt: skip
ATTEMPTS: Final = Item(
    name="attempts", prefix="attempts#", key=("interface/host", "slot"), sets=("attempts",), bits=BUCKET,
    ttl=2 * DAY, per_batch=5,
    why="Refused attempts from the internet per host and 10-minute slot. reject-spike compares a slot with "
    "the previous day. A batch adds the hosts and slots with the most attempts.",
)  # fmt: skip
UPLOADS: Final = Item(
    name="uploads", prefix="uploads#", key=("scope/host", "peer class", "day"), sets=("uploads",),
    ttl=2 * DAY, per_batch=6,
    why="Records of uploads from a host to the internet, or to AWS services, with their hours, networks and "
    "sizes: those of 4 MB or more, and a sample of the smaller ones. egress-volume sums them. "
    "A batch adds the hosts and days with the largest uploads.",
)  # fmt: skip
UPLOAD_SIZES: Final = Item(
    name="upload sizes", prefix="upload-sizes#", key=("role", "day"),
    sets=("sizes", "day-sizes", "aws-sizes", "aws-day-sizes", "networks", "unusual", "aws-unusual"),
    bits=12, ttl=2 * DAYS_READ * DAY, per_batch=4,
    why="Bytes that hosts of a role sent per hour and per day, as powers of two, to the internet and to AWS "
    "services, and the internet networks with most of it, as numbers of 12 bits. egress-volume uses the last "
    f"{DAYS_READ} days as the baseline; both `unusual` sets contain the hosts and networks that it reported.",
)  # fmt: skip
BASELINES: Final = Item(
    name="baselines", prefix="baseline#", key=("role", "day"), sets=("edges", "refused", "shown"),
    longer=(("shown", SHOWN),), ttl=2 * DAYS_READ * DAY, per_batch=10,
    why="Edges (direction, protocol, port and peer) of a role on a day, and separately the edges that rules "
    f"refused. The baseline consists of the edges that occur on several of the last {DAYS_READ} days. A "
    "container writes each edge of a role and day once. A VPC is stored every other day as a role with one "
    "edge, which shows since when the VPC is known. The numbers of both sets are hashes. `shown` contains "
    "the edges that the report on learning lists, as numbers that can be read: administration, contacts with "
    "the internet, and what rules refused.",
)  # fmt: skip
KNOWN_ROLES: Final = Item(
    name="known roles", prefix="role#", key=("role",), partition=ROLES, sets=("networks",),
    bits=PEER, ttl=2 * DAYS_READ * DAY, ttl_from="the last time that the role was stored", per_batch=2,
    why="A role that is being learned or is learned, since when it is known, and the networks of its hosts. "
    "The report on learning and `flowwarden baseline` read them. A container stores a role when it first "
    "sees the role or one of its networks, and again before the item expires.",
)  # fmt: skip
LEARNING_REPORTS: Final = Item(
    name="learning reports", prefix="learning-reports", key=(), sets=("roles", "days", "more"),
    ttl=3650 * DAY, ttl_from="the last report", per_batch=1,
    why="The roles that a report on learning has listed, as hashes, the days of the reports, and those of "
    "reports that left out roles.",
)  # fmt: skip
SKIPPED: Final = Item(
    name="skipped records", prefix="skipped#", key=("interface", "hour"), sets=("skipped",), bits=7,
    ttl=2 * DAY, per_batch=7,
    why="Start minutes of windows with SKIPDATA, stored in two overlapping items per hour. records-skipped "
    f"counts them. A batch adds at most {MOST_SKIPPED} interfaces: two items for the windows of one hour, "
    "one more for each further hour.",
)  # fmt: skip
HEARTBEATS: Final = Item(
    name="heartbeats", prefix="heartbeat#", key=("slot", "shard"), sets=("interfaces",), bits=97,
    ttl=2 * DAY, per_batch=18,
    why="Interfaces that wrote, by 30-minute slots, each with a hash of the log group. interface-silent uses "
    "them to find silent interfaces, the enforcer to verify that flow logs deliver. A container writes its "
    "first sightings at once, then once per slot, when most interfaces have written.",
)  # fmt: skip
WATERMARKS: Final = Item(
    name="watermarks", prefix="watermark#", key=("log group", "day"), sets=("slots",),
    ttl=2 * DAY, per_batch=1,
    why="30-minute slots of a day of which records of a log group were processed. The dispatcher resolves an "
    "incident only if later records were processed without its findings. A container adds each slot once.",
)  # fmt: skip
DIGESTS: Final = Item(
    name="digest hours", prefix="digest-hour#", key=("hour",), sets=("batches", "counts", "records", "hosts"),
    texts=("groups", "sources", "targets"), ttl=4 * DAY, per_batch=1,
    why="What the digests say of an hour: findings that do not page, with their batches; batches with "
    "findings that were not sent; the internet hosts with most REJECTs, with ports and targets. A container "
    "writes an hour once, after its end; new groups and very active hosts at once, then every 10 minutes.",
)  # fmt: skip
INCIDENTS: Final = Item(
    name="incidents", prefix="incident#", key=("sink", "incident key"), sort="claim",
    ttl=15 * DAY, ttl_from="the end of its suppression window", per_batch=36,
    why="Which invocation notifies a sink of an incident, and when the last notification was sent. Each sink "
    "has its own item, so a failing sink does not affect others. Also what was sent, and what joined since. "
    "The item outlives its suppression window, so that the next page can mention the previous one, and that "
    "a batch from a failure queue, which keeps it for 14 days, does not page again. Each costs two writes.",
)  # fmt: skip
PAGE_BUDGET: Final = Item(
    name="page budget", prefix="page-budget#", key=("sink", "day"), sort="budget", ttl=2 * DAY, per_batch=16,
    why="The pages that a sink got singly on a day (UTC), as sets of hashes: of the day, of each hour, and "
    "the critical ones of each hour. A page costs one write, and none once the batch has reached a limit.",
)  # fmt: skip
MUTES: Final = Item(
    name="mutes", prefix="mute#", key=("mute",), partition=MADE_MUTES,
    ttl=DAY, ttl_from="the end of the mute",
    why="A mute that `flowwarden incidents mute` made, with its end and its reason. The monitor reads all of "
    "them with one query, at most once a minute per container and only if a finding would be sent.",
)  # fmt: skip
RULE_CHANGES: Final = Item(
    name="rule changes", prefix="rule-change#", key=("resource", "time", "call"), partition="rule-changes",
    ttl=DAY, ttl_from="the call",
    why="A call that changed a security group, network ACL, prefix list or route, and its principal. A page "
    f"about rejections lists the latest {MOST_CHANGES} of each resource. The enforcer writes each once.",
)  # fmt: skip
LOG_FORMATS: Final = Item(
    name="log formats", prefix="log-formats#", key=("log group",), sort="formats",
    ttl=7 * DAY, ttl_from="the last time that a container queried EC2", per_batch=4,
    why="Log formats of the flow logs that write to a log group. Containers share them, and use them while "
    "EC2 is unavailable.",
)  # fmt: skip
LAST_GOOD_POLICY: Final = Item(
    name="last good policy", prefix="policy", key=(), sort="last-good",
    ttl=0, ttl_from="until another policy is deployed", per_batch=1,
    why="The last policy that a function accepted, as its text. Both functions use it if the configured one "
    "is not valid. A container reads it once and writes it if it differs.",
)  # fmt: skip
WORK_ITEMS: Final = Item(
    name="work items", prefix="vpc#", key=("VPC",), partition=WORK,
    ttl=WORK_TTL, ttl_from="the time at which the VPC is due",
    why="A VPC that the enforcer must check again, with the reason.",
)  # fmt: skip
SWEEP_CURSOR: Final = Item(
    name="sweep cursor", prefix="cursor", key=(), partition=WORK,
    ttl=WORK_TTL, ttl_from="the time at which the sweep stopped",
    why="Where an unfinished sweep stopped. The next run continues from there.",
)  # fmt: skip
UNSENT: Final = Item(
    name="unsent reports", prefix="unsent#", key=("report",), partition=OUTBOX,
    ttl=WORK_TTL, ttl_from="the time of the report",
    why="A report of the enforcer, stored before it is sent and removed afterward. If a run ends before it "
    "sends the report, the next run sends it. A retry would find everything repaired, and report nothing.",
)  # fmt: skip
MANAGED_FLOW_LOGS: Final = Item(
    name="managed flow logs", prefix="managed#", key=("flow log",), partition=REGISTRY,
    ttl=0, ttl_from="until the flow log no longer exists",
    why="The record that this stack created a flow log, or was asked to manage it. The enforcer deletes only "
    "flow logs with such a record and the stack's tag, because other principals can set the tag.",
)  # fmt: skip
CREATIONS: Final = Item(
    name="creations", prefix="creation#", key=("client token",), partition=REGISTRY,
    ttl=DAY, ttl_from="the call of CreateFlowLogs",
    why="A flow log that the enforcer is about to create, stored before the call. If a run ends before it "
    "stores the record, a later run finds out which flow log the call created.",
)  # fmt: skip
KNOWN_FLOW_LOGS: Final = Item(
    name="known flow logs", prefix="known#", key=("flow log",), partition=REGISTRY,
    ttl=0, ttl_from="until the flow log no longer exists",
    why="The resource of an unmanaged flow log. The event of its deletion does not contain the VPC, and the "
    "report needs it. Also what was reported about the flow log, so that the report is not repeated.",
)  # fmt: skip
DELETED_FLOW_LOGS: Final = Item(
    name="deleted flow logs", prefix="deleted#", key=("flow log",), partition=REGISTRY,
    ttl=30 * DAY, ttl_from="the deletion",
    why="A flow log that was deleted, the principal, and whether the deletion was reported. If it was not "
    "reported, the next run that reads this item reports it, regardless of the run's trigger.",
)  # fmt: skip
DELETION_CALLS: Final = Item(
    name="deletion calls", prefix="deletion-call#", key=("call",), partition=REGISTRY,
    ttl=30 * DAY, ttl_from="the call",
    why="A call that deleted more than 20 flow logs: the principal, the flow logs, and which of them were "
    "reported. One item, so that it is stored even if the table is slow.",
)  # fmt: skip

ITEMS: Final = (
    CONTACTS_HOUR, CONTACTS_DAY, REFUSALS, NEW_EGRESS, OUTSIDE_SESSIONS, REPORTED, SCANNERS, ATTEMPTS,
    UPLOADS, UPLOAD_SIZES, BASELINES, KNOWN_ROLES, LEARNING_REPORTS, SKIPPED, HEARTBEATS, WATERMARKS,
    DIGESTS, INCIDENTS, PAGE_BUDGET, MUTES, RULE_CHANGES, LOG_FORMATS, LAST_GOOD_POLICY, WORK_ITEMS,
    SWEEP_CURSOR, UNSENT, MANAGED_FLOW_LOGS, CREATIONS, KNOWN_FLOW_LOGS, DELETED_FLOW_LOGS,
    DELETION_CALLS,
)  # fmt: skip
"""Every kind of item, in the order of docs/state.md."""


def item_of(key: str) -> Item | None:
    """The kind of an item of sets, from its key; None if the key is of none of them."""
    return next((each for each in _OF_SETS if key.startswith(each.prefix)), None)


_OF_SETS: Final = tuple(each for each in ITEMS if each.sets)
