"""egress-volume: an internal host sends far more data to the internet than is usual for its role.

What: an internal host that sends at least `upload_megabytes` to internet hosts within an hour, over
    connections that it initiated, and at least five times the amount that hosts of its role sent on
    `DAYS_SENT` of the last thirty days, rounded up to a power of two. Destinations that the record
    identifies as an AWS service do not count; the default format of AWS identifies none.
Why: stolen data must be sent somewhere. Legitimate uploads of a role recur, so a volume far above all earlier
    ones is worth a check.
False positives: a first backup, a migration, a dump for vendor support: check once. Recurring uploads count
    as usual after `DAYS_SENT` days; add hosts that may send anything to `exempt` in the policy. Two flow logs
    with different aggregation intervals, for example during a replacement, count a connection twice.
Blind: data that is sent over more hours; long
    connections to unknown ports, whose initiator only the first window shows; data that the far end fetches
    over a connection of its own; roles that send as much anyway.
While a role is learned, its volumes are stored, and nothing is reported.
Events: none alone; see tests/monitor/detectors/test_egress_volume_over_time.py.
ATT&CK: T1048 Exfiltration Over Alternative Protocol.

The bytes of an hour are stored as a set of records with their sizes, of small records a sample: see
`traffic.uploads` and `traffic.record_sizes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from flowwarden.monitor.baseline.profile import RoleProfile
from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.causes import Shares
from flowwarden.monitor.detectors.base import Detector, Need
from flowwarden.monitor.findings import Severity, SurplusFinding, TrafficFinding
from flowwarden.monitor.text import Text, estimated, main_server_and_others, short_servers, started_by
from flowwarden.monitor.traffic.record_sizes import largest_first, sized, total
from flowwarden.monitor.traffic.tally import sample_of
from flowwarden.monitor.traffic.uploads import (
    HostUploads,
    amount,
    counted,
    main_receiver,
    size_of,
    uploads,
    window_of,
)
from flowwarden.monitor.traffic.usual_volume import (
    DAYS_SENT,
    MEGABYTE,
    Place,
    baseline_addition,
    keys,
    limit,
    usual,
)
from flowwarden.monitor.view import BatchView
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import Directions
from flowwarden.network.host_set import host_set
from flowwarden.policy.detection import Thresholds
from flowwarden.records.columnar.group_by import Groups
from flowwarden.records.columnar.tokenizer import ABSENT, Integers
from flowwarden.state.schema import BASELINES, MOST_UPLOADS, UPLOAD_SIZES, UPLOADS
from flowwarden.state.sets import HOUR, Addition, Sets, fingerprint, merged

MOST_RECORDS: Final = 256
"""Records stored per hour, at one write unit per 128: together they are at least 1 GB. Beyond that, only the
records of the current batch are added."""
UPLOADS_OF_BATCH: Final = 32
"""Maximum (host, hour) pairs that a batch compares with what is usual: each reads a month of a role."""

(SENT,) = UPLOADS.sets


class Facts(Struct, frozen=True):
    """The evidence for the finding."""

    role: str
    sent: float
    """Bytes sent in the hour, approximately."""
    usual: int
    """Bytes per hour that the role reached on several days; 0 if it never did."""


type EgressVolume = TrafficFinding[Facts]


def detect(view: BatchView, state: StateView, thresholds: Thresholds) -> list[EgressVolume | SurplusFinding]:
    """A finding for each host that sends far more than is usual for its role.

    Interfaces that EC2 does not describe are skipped: one may be a NAT gateway, which sends for many hosts.
    """
    rows = uploads(view.directions)
    if not len(rows):
        return []
    found = _uploads(view, counted(view.directions, rows))
    least = limit(0, thresholds.upload_megabytes)
    beyond = sum(volume(each.sets(view)) >= least for each in found[UPLOADS_OF_BATCH:])
    judged = [_judge(view, state, each, thresholds.upload_megabytes) for each in found[:UPLOADS_OF_BATCH]]
    return [*_reports(view, rows, [each for each in judged if each]), *DETECTOR.surplus(beyond)]


def _uploads(view: BatchView, rows: Integers) -> list[Upload]:
    """The uploads at interfaces that EC2 describes, except for exempt hosts, the largest first.

    Args:
        view: the batch.
        rows: of the records that count.
    """
    found: list[Upload] = []
    groups = Groups(view.index.of_row[rows], ordered=True)
    for number, place in enumerate(groups.keys.tolist()):
        profile = view.profiles.get(place)
        if profile is not None and profile.interface is not None:
            found += _at_interface(view, rows[groups.members(number)], profile)
    return sorted(found, key=_largest_first)


def _at_interface(view: BatchView, rows: Integers, profile: RoleProfile) -> list[Upload]:
    """The largest uploads of the hosts at an interface, at most `MOST_UPLOADS`."""
    exempt = host_set(view.policy.exempt)
    found = [
        Upload(host=host, hour=hour, rows=sent, profile=profile, amount=amount(view.directions, sent))
        for (host, hour), sent in by_hour(view.directions, rows, view.now).items()
        if not exempt.hold(host)
    ]
    return sorted(found, key=_largest_first)[:MOST_UPLOADS]


class Upload(Struct, frozen=True, kw_only=True):
    """The data that a host sent in an hour, as far as a batch shows it."""

    host: str
    hour: int
    """Since 1970."""
    rows: Integers
    profile: RoleProfile
    amount: float
    """Bytes for which the rows count."""

    @property
    def place(self) -> Place:
        """Host and hour."""
        return self.host, self.hour

    def sets(self, view: BatchView) -> Sets:
        """The evidence that the batch adds."""
        return addition(self.place, self.profile.scope, view.directions, self.rows).sets


def _largest_first(upload: Upload) -> tuple[float, str, Place]:
    return -upload.amount, upload.profile.scope, upload.place


class _Unusual(Struct, frozen=True):
    """An upload to report."""

    upload: Upload
    sent: float
    """Bytes of the hour, approximately."""
    usual: int


def _judge(view: BatchView, state: StateView, upload: Upload, megabytes: int) -> _Unusual | None:
    """The upload, if it is unusual. What is usual for the role is learned."""
    role, place = upload.profile.role, upload.place
    sent = _sent(view, state, upload)
    if upload.profile.learning or sent < limit(0, megabytes):
        state.add(baseline_addition(role, place, sent))
        return None
    items = state.read_once(keys(role, place))
    if state.is_away:
        return None
    before = usual(items.values())
    most = limit(before, megabytes)
    state.add(baseline_addition(role, place, min(sent, most)))
    return None if sent < most else _Unusual(upload, sent, before)


def _reports(view: BatchView, rows: Integers, unusual: Sequence[_Unusual]) -> list[EgressVolume]:
    """The findings; each shows all uploads of its host in the batch, of which `rows` are all."""
    if not unusual:
        return []
    directions, hosts = view.directions, HostUploads(view.directions, view.index, rows)
    return [
        report(
            one.upload.place,
            one.upload.profile.role,
            one.sent,
            one.usual,
            directions,
            hosts.of(int(one.upload.rows[0])),
        )
        for one in unusual
    ]


def _sent(view: BatchView, state: StateView, upload: Upload) -> float:
    """The bytes of the hour, including those from other batches."""
    added = addition(upload.place, upload.profile.scope, view.directions, upload.rows)
    known = state.known(added.key)
    return volume(merged(known, added.sets) if is_full(known) else state.add(added))


def by_hour(directions: Directions, rows: Integers, now: int) -> dict[Place, Integers]:
    """Uploads of one interface, by host and hour; `now` is Unix seconds."""
    flows = directions.traffic.flows
    starts = flows["start"][rows]
    hours = [(now if start == ABSENT else min(start, now)) // HOUR for start in starts.tolist()]
    found: dict[Place, list[int]] = {}
    for row, hour in zip(rows.tolist(), hours, strict=True):
        client = flows.texts[int(directions.client[row])]
        found.setdefault((client, hour), []).append(row)
    return {place: np.array(each, np.int64) for place, each in found.items()}


def addition(place: Place, scope: str, directions: Directions, rows: Integers) -> Addition:
    """The evidence that the uploads in these rows add to a host's hour, the largest first.

    `scope` is where the host's address is unique.
    """
    flows = directions.traffic.flows
    columns = [directions.server, flows["protocol"], directions.service_port, directions.client_port]
    columns += [flows["start"], flows["bytes"]]
    values = zip(*(column[rows].tolist() for column in columns), strict=True)
    records = ((fingerprint(flows.texts[server], *each), size) for server, *each, size in values)
    numbers = largest_first(sized(identity, size_of(size)) for identity, size in records)
    client, hour = place
    key = UPLOADS.key_of(f"{scope}/{client}", hour)
    return Addition(key, {SENT: frozenset(numbers[:MOST_RECORDS])}, UPLOADS.kept_until(hour * HOUR))


def volume(sets: Sets) -> float:
    """The total bytes of these records, approximately."""
    return total(sets.get(SENT, frozenset()))


def is_full(sets: Sets) -> bool:
    """Whether no more records of the hour are stored."""
    return len(sets.get(SENT, frozenset())) >= MOST_RECORDS


def report(
    place: Place, role: str, sent: float, before: int, directions: Directions, rows: Integers
) -> EgressVolume:
    """The finding about a host; the rows are the uploads of the batch."""
    finding = DETECTOR.finding(
        subject=place[0],
        peer_class=PeerClass.INTERNET,
        sample=replace(sample_of(directions, rows), window=window_of(directions, rows, place[1])),
        facts=Facts(role=role, sent=sent, usual=before),
    )
    return replace(finding, mostly=main_receiver(directions, rows))


def text(finding: EgressVolume) -> Text:
    """The finding in words."""
    client, facts = finding.subject, finding.facts
    sent = f"{estimated(facts.sent, finding.window, MEGABYTE)} MB"
    usual = f"usually send at most {facts.usual // MEGABYTE:,} MB per hour"
    return Text(
        summary=(
            f"{client} sent {sent} to the internet within 1 h, "
            f"in this batch to {main_server_and_others(finding.tally)}."
        ),
        because=(
            f"{started_by(client, finding.example)}; hosts of its role ({facts.role}) "
            f"{usual if facts.usual else f'made large uploads on fewer than {DAYS_SENT} days'}"
        ),
        likely="data exfiltration, or a new backup, export or migration",
        counted=f"{sent} sent within 1 h",
        brief=f"{client} sent {sent} to internet: {short_servers(finding.tally)}",
        query_terms=(client,),
    )


DETECTOR: Final = Detector(
    name="egress-volume",
    summary=(
        "one of your hosts sends 500 MB or more to the internet within an hour, and at least five times "
        "the volume that hosts of its role reach on three days of a month"
    ),
    severity=Severity.MEDIUM,
    shares=Shares.DESTINATION,
    measures="sent",
    technique="T1048",
    thresholds=("upload_megabytes",),
    needs=frozenset({Need.BASELINE, Need.TCP_FLAGS}),
    state=(BASELINES, UPLOADS, UPLOAD_SIZES),
    finds=("exfiltration", "debug-logging"),
    runbook=(
        "Find the process on {subject} that sends the data, and the owner of {server}.",
        "If no owner confirms it, block internet access for {subject} and check which data it can read.",
        f"If the upload is expected, no action is required: it counts as usual after {DAYS_SENT} days.",
    ),
    detect=detect,
    text=text,
)
