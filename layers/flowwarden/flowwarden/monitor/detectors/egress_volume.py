"""egress-volume: an internal host sends far more data to the internet than is usual for its role.

What: an internal host that sends at least `upload_megabytes` to internet hosts within an hour, over
    connections that it initiated, and at least `TIMES` the amount that hosts of its role sent on `DAYS_SENT`
    of the last thirty days, rounded up to a power of two. Destinations that the record identifies as an AWS
    service do not count; the default format of AWS identifies none.
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

from collections.abc import Iterable
from math import log2
from typing import Final

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from flowwarden.monitor.baseline.profile import RoleProfile
from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.detectors.base import Detector, Need
from flowwarden.monitor.findings import Severity, SurplusFinding, TrafficFinding
from flowwarden.monitor.text import Text, estimated, main_server_and_others, short_servers, started_by
from flowwarden.monitor.traffic.record_sizes import largest_first, sized, total
from flowwarden.monitor.traffic.tally import sample_of
from flowwarden.monitor.traffic.uploads import counted, of_host, size_of, uploads, window_of
from flowwarden.monitor.view import BatchView
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import Directions
from flowwarden.network.host_set import host_set
from flowwarden.policy.detection import Thresholds
from flowwarden.records.columnar.group_by import Groups
from flowwarden.records.columnar.tokenizer import ABSENT, Integers
from flowwarden.state.schema import BASELINES, DAYS_READ, MOST_UPLOADS, UPLOAD_SIZES, UPLOADS
from flowwarden.state.sets import DAY, HOUR, Addition, Sets, fingerprint, merged

MOST_RECORDS: Final = 256
"""Records stored per hour, at one write unit per 128: together they are at least 1 GB. Beyond that, only the
records of the current batch are added."""
UPLOADS_OF_BATCH: Final = 32
"""Maximum (host, hour) pairs that a batch compares with what is usual: each reads a month of a role."""
TIMES: Final = 5
"""Multiple of the usual volume: common rules for volumes use five times the median."""
DAYS_SENT: Final = 3
"""Distinct days with such a volume before it is usual. A new backup is reported on these days; a weekly one
recurs often enough."""

(SENT,) = UPLOADS.sets
(SIZES,) = UPLOAD_SIZES.sets

MEGABYTE: Final = 1_000_000
type Place = tuple[str, int]
"""The address of a host, and an hour since 1970."""


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
    found = _uploads(view, counted(view.directions, uploads(view.directions)))
    least = limit(0, thresholds.upload_megabytes)
    beyond = sum(volume(each.sets(view)) >= least for each in found[UPLOADS_OF_BATCH:])
    judged = found[:UPLOADS_OF_BATCH]
    reported = [each for one in judged for each in _judge(view, state, one, thresholds.upload_megabytes)]
    return [*reported, *DETECTOR.surplus(beyond)]


def _uploads(view: BatchView, rows: Integers) -> list[Upload]:
    """The uploads at interfaces that EC2 describes, except for exempt hosts; if many, the largest first.

    Args:
        view: the batch.
        rows: of the records that count.
    """
    found: list[Upload] = []
    exempt, groups = host_set(view.policy.exempt), Groups(view.index.of_row[rows], ordered=True)
    for number, place in enumerate(groups.keys.tolist()):
        profile = view.profiles.get(place)
        if profile is None or profile.interface is None:
            continue
        by_place = by_hour(view.directions, rows[groups.members(number)], view.now)
        most = sorted(by_place.items(), key=lambda item: (-len(item[1]), item[0]))[:MOST_UPLOADS]
        found += [
            Upload(host=client, hour=hour, rows=sent, profile=profile)
            for (client, hour), sent in most
            if not exempt.hold(client)
        ]
    return found if len(found) <= UPLOADS_OF_BATCH else sorted(found, key=lambda each: -len(each.rows))


class Upload(Struct, frozen=True, kw_only=True):
    """The data that a host sent in an hour, as far as a batch shows it."""

    host: str
    hour: int
    """Since 1970."""
    rows: Integers
    profile: RoleProfile

    @property
    def place(self) -> Place:
        """Host and hour."""
        return self.host, self.hour

    def sets(self, view: BatchView) -> Sets:
        """The evidence that the batch adds."""
        return addition(self.place, self.profile.scope, view.directions, self.rows).sets


def _judge(view: BatchView, state: StateView, upload: Upload, megabytes: int) -> list[EgressVolume]:
    role, place = upload.profile.role, upload.place
    sent = _sent(view, state, upload)
    if upload.profile.learning or sent < limit(0, megabytes):
        state.add(baseline_addition(role, place, sent))
        return []
    items = state.read_once(keys(role, place))
    if state.is_away:
        return []
    before = usual(items.values())
    most = limit(before, megabytes)
    state.add(baseline_addition(role, place, min(sent, most)))
    if sent < most:
        return []
    return [report(place, role, sent, before, view.directions, of_host(view.directions, upload.rows[0]))]


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


def baseline_addition(role: str, place: Place, sent: float) -> Addition:
    """The addition to a role's item: the powers of two that its hosts' hours reached on a day.

    A reported volume is capped at the limit for reports: an incident adds little, and a new large backup
    becomes usual a few days later than a small one.
    """
    day = place[1] * HOUR // DAY
    return Addition(
        UPLOAD_SIZES.key_of(role, day),
        {SIZES: frozenset({int(log2(sent))})},
        UPLOAD_SIZES.kept_until(day * DAY),
    )


def keys(role: str, place: Place) -> list[str]:
    """The items with the role's volumes on the days before."""
    day = place[1] * HOUR // DAY
    return [UPLOAD_SIZES.key_of(role, before) for before in range(day - DAYS_READ, day)]


def usual(items: Iterable[Sets]) -> int:
    """The bytes per hour that a role reached on `DAYS_SENT` days, rounded up; 0 if it never did.

    Args:
        items: one for each day on which the role made large uploads.
    """
    days = sorted((max(sets[SIZES]) for sets in items if sets.get(SIZES)), reverse=True)
    return 2 ** (days[DAYS_SENT - 1] + 1) if len(days) >= DAYS_SENT else 0


def limit(before: int, megabytes: int) -> int:
    """The bytes per hour from which a finding is reported, given the usual volume."""
    return max(megabytes * MEGABYTE, TIMES * before)


def report(
    place: Place, role: str, sent: float, before: int, directions: Directions, rows: Integers
) -> EgressVolume:
    """The finding about a host; the rows are the uploads of the batch."""
    return DETECTOR.finding(
        subject=place[0],
        peer_class=PeerClass.INTERNET,
        sample=replace(sample_of(directions, rows), window=window_of(directions, rows, place[1])),
        facts=Facts(role=role, sent=sent, usual=before),
    )


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
    technique="T1048",
    thresholds=("upload_megabytes",),
    needs=frozenset({Need.BASELINE, Need.TCP_FLAGS}),
    state=(BASELINES, UPLOADS, UPLOAD_SIZES),
    finds=("exfiltration",),
    runbook=(
        "Find the process on {subject} that sends the data, and the owner of {server}.",
        "If no owner confirms it, block internet access for {subject} and check which data it can read.",
        f"If expected, no action is required: it is usual after {DAYS_SENT} days. Or add it to `exempt`.",
    ),
    detect=detect,
    text=text,
)
