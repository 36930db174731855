"""egress-volume: one of our own hosts sends the internet far more than its role ever does.

What: an own host that sends `upload_megabytes` or more to internet hosts within an hour, over connections
    that it started, and `TIMES` as much as hosts of its role do on `DAYS_SENT` days of the last thirty, which
    is rounded up to a power of two. Destinations that the record names as an AWS service do not count; the
    default log format names none.
Why: who steals data has to send it somewhere. What a role needs to send it sends again and again, so that
    more than ever before is worth a question.
False positives: a first backup, a migration, a dump for a vendor's support: ask once. What comes again is
    usual after `DAYS_SENT` days; name hosts that may send anything in the policy's `exempt`. Two flow logs
    with windows of different length, as while one replaces the other, count a connection twice.
Blind: records of less than `LEAST` bytes, so data that is sent slowly or over many short connections;
    long connections to unknown ports, of which only the first window says which end started them; data that
    the far end fetches over a connection of its own; roles that send as much anyway.
While a role is learned, what it sends is remembered, and nothing is found.
Events: none alone; see tests/monitor/detectors/test_egress_volume_over_time.py.
ATT&CK: T1048 Exfiltration Over Alternative Protocol.

The bytes of an hour are no counter, which would grow with every record that is delivered twice. They are a
set of records, each with the logarithm of its size: a hash in the upper bits and the size in the lower ones.
So the sum is right to a few hundredths, whoever adds to it and how often.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import log2
from typing import Final

import numpy as np
from msgspec import Struct

from flowwarden.monitor.baseline.profile import RoleProfile
from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.detectors.base import Detector, Need
from flowwarden.monitor.findings import Severity, TrafficFinding
from flowwarden.monitor.text import Text, main_server_and_others, started_by
from flowwarden.monitor.traffic.selection import PAGING_CONFIDENCE, without_repeats
from flowwarden.monitor.traffic.tally import sample_of
from flowwarden.monitor.view import BatchView
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import INTERNET, OWN, Directions
from flowwarden.network.host_set import host_set
from flowwarden.policy.detection import Thresholds
from flowwarden.records.columnar.string_pool import ACCEPT, EGRESS
from flowwarden.records.columnar.tokenizer import ABSENT, Integers
from flowwarden.state.schema import BASELINES, DAYS_READ, MOST_UPLOADS, UPLOAD_SIZES, UPLOADS
from flowwarden.state.sets import DAY, HOUR, Addition, Sets, fingerprint, merged

LEAST: Final = 4_000_000
"""Bytes of a record that counts: 125 of them are the default of `upload_megabytes`, and hardly any ordinary
record has as many."""
MOST_RECORDS: Final = 256
"""That are remembered of an hour, at a write unit for every 128: together they are 1 GB at least. Beyond,
only what a batch shows itself is added."""
TIMES: Final = 5
"""As much as is usual: rules for volumes ask for five times the median."""
DAYS_SENT: Final = 3
"""Distinct days on which so much was sent before it is usual. A backup is told twice, and a weekly one comes
often enough."""

(SENT,) = UPLOADS.sets
(SIZES,) = UPLOAD_SIZES.sets

MEGABYTE: Final = 1_000_000

_SIZE_BITS: Final = 9
_STEPS: Final = 8
"""Of a doubling: sizes are right to 4.5 %."""
_MASK: Final = (1 << _SIZE_BITS) - 1

type Place = tuple[str, int]
"""The address of a host, and an hour since 1970."""


class Facts(Struct, frozen=True):
    """What the finding stands on."""

    role: str
    sent: float
    """Bytes of the hour, about."""
    usual: int
    """Bytes of an hour that the role reached on several days; 0 if it never did."""


type EgressVolume = TrafficFinding[Facts]


def detect(view: BatchView, state: StateView, thresholds: Thresholds) -> list[EgressVolume]:
    """A finding for each host that sends more than its role ever does.

    Of an interface that EC2 does not tell nothing is remembered: it may be a NAT gateway, which sends for
    many.
    """
    found: list[EgressVolume] = []
    rows = large_uploads(view.directions)
    if not len(rows):
        return []
    exempt = host_set(view.policy.exempt)
    for place in sorted(set(view.index.of_row[rows].tolist())):
        profile = view.profiles.get(place)
        if profile is None or profile.interface is None:
            continue
        uploads = by_hour(view.directions, rows[view.index.of_row[rows] == place], view.now)
        most = sorted(uploads.items(), key=lambda item: (-len(item[1]), item[0]))[:MOST_UPLOADS]
        for (client, hour), sent in most:
            if not exempt.hold(client):
                upload = Upload(host=client, hour=hour, rows=sent, profile=profile)
                found += _judge(view, state, upload, thresholds.upload_megabytes)
    return found


class Upload(Struct, frozen=True, kw_only=True):
    """What a host sent in an hour, as far as a batch shows it."""

    host: str
    hour: int
    """Since 1970."""
    rows: Integers
    profile: RoleProfile

    @property
    def place(self) -> Place:
        """Host and hour."""
        return self.host, self.hour


def _judge(view: BatchView, state: StateView, upload: Upload, megabytes: int) -> list[EgressVolume]:
    role, place = upload.profile.role, upload.place
    sent = _sent(view, state, upload)
    if upload.profile.learning or sent < limit(0, megabytes):
        state.add(lesson(role, place, sent))
        return []
    items = state.read_once(keys(role, place))
    if state.is_away:
        return []
    before = usual(items.values())
    most = limit(before, megabytes)
    state.add(lesson(role, place, min(sent, most)))
    return [report(place, role, sent, before, view.directions, upload.rows)] if sent >= most else []


def _sent(view: BatchView, state: StateView, upload: Upload) -> float:
    """The bytes of the hour, with what other batches showed of it."""
    added = addition(upload.place, upload.profile.scope, view.directions, upload.rows)
    known = state.known(added.key)
    return volume(merged(known, added.sets) if is_full(known) else state.add(added))


def large_uploads(directions: Directions) -> Integers:
    """The rows of the records that count, each once."""
    flows = directions.traffic.flows
    (rows,) = (flows["bytes"] >= LEAST).nonzero()  # hardly ever any
    if not len(rows):
        return rows
    rows = rows[
        (flows["action"][rows] == ACCEPT)
        & directions.from_source[rows]
        & (directions.side[rows] == EGRESS)
        & (directions.client_class[rows] == OWN)
        & (directions.server_class[rows] == INTERNET)
        & (directions.confidence[rows] >= PAGING_CONFIDENCE)
    ]
    return without_repeats(flows, rows)


def by_hour(directions: Directions, rows: Integers, now: int) -> dict[Place, Integers]:
    """Large uploads of one interface, by host and hour; `now` is Unix seconds."""
    flows = directions.traffic.flows
    starts = flows["start"][rows]
    hours = [(now if start == ABSENT else min(start, now)) // HOUR for start in starts.tolist()]
    found: dict[Place, list[int]] = {}
    for row, hour in zip(rows.tolist(), hours, strict=True):
        client = flows.texts[int(directions.client[row])]
        found.setdefault((client, hour), []).append(row)
    return {place: np.array(each, np.int64) for place, each in found.items()}


def addition(place: Place, scope: str, directions: Directions, rows: Integers) -> Addition:
    """What a host's uploads add to the evidence of an hour, the largest first if they are too many.

    Args:
        place: the host and the hour.
        scope: where its address is its own.
        directions: of the batch.
        rows: the uploads.
    """
    flows = directions.traffic.flows
    columns = [directions.server, flows["protocol"], directions.service_port, directions.client_port]
    columns += [flows["start"], flows["bytes"]]
    values = zip(*(column[rows].tolist() for column in columns), strict=True)
    records = ((fingerprint(flows.texts[server], *each), size) for server, *each, size in values)
    numbers = sorted((_number(*each) for each in records), key=lambda each: (-(each & _MASK), each))
    client, hour = place
    key = UPLOADS.key_of(f"{scope}/{client}", hour)
    return Addition(key, {SENT: frozenset(numbers[:MOST_RECORDS])}, UPLOADS.kept_until(hour * HOUR))


def _number(identity: int, size: int) -> int:
    """A record with its size; the same for the same record."""
    return identity >> _SIZE_BITS << _SIZE_BITS | min(round(_STEPS * log2(size)), _MASK)


def volume(sets: Sets) -> float:
    """The bytes that these records have together, about."""
    return sum(2 ** ((number & _MASK) / _STEPS) for number in sets.get(SENT, frozenset()))


def is_full(sets: Sets) -> bool:
    """Whether nothing more is remembered of the hour."""
    return len(sets.get(SENT, frozenset())) >= MOST_RECORDS


def lesson(role: str, place: Place, sent: float) -> Addition:
    """What is remembered of a role: which powers of two its hosts' hours reached on a day.

    Of what is told no more than would not have been: so an incident teaches little, and a backup that is new
    and large is usual a few days later than a small one.
    """
    day = place[1] * HOUR // DAY
    return Addition(
        UPLOAD_SIZES.key_of(role, day),
        {SIZES: frozenset({int(log2(sent))})},
        UPLOAD_SIZES.kept_until(day * DAY),
    )


def keys(role: str, place: Place) -> list[str]:
    """The items that tell what the role sent on the days before."""
    day = place[1] * HOUR // DAY
    return [UPLOAD_SIZES.key_of(role, before) for before in range(day - DAYS_READ, day)]


def usual(items: Iterable[Sets]) -> int:
    """The bytes of an hour that a role reached on `DAYS_SENT` days, rounded up; 0 if it never did.

    Args:
        items: one for each day on which the role sent anything large.
    """
    days = sorted((max(sets[SIZES]) for sets in items if sets.get(SIZES)), reverse=True)
    return 2 ** (days[DAYS_SENT - 1] + 1) if len(days) >= DAYS_SENT else 0


def limit(before: int, megabytes: int) -> int:
    """From how many bytes on an hour is worth a question, if so many were usual before."""
    return max(megabytes * MEGABYTE, TIMES * before)


def report(
    place: Place, role: str, sent: float, before: int, directions: Directions, rows: Integers
) -> EgressVolume:
    """The finding about a host; the rows are the uploads of the batch."""
    return DETECTOR.finding(
        subject=place[0],
        peer_class=PeerClass.INTERNET,
        sample=sample_of(directions, rows),
        facts=Facts(role=role, sent=sent, usual=before),
    )


def text(finding: EgressVolume) -> Text:
    """The finding in words."""
    client, facts = finding.subject, finding.facts
    most = f"send {facts.usual // MEGABYTE:,} MB at most as a rule"
    return Text(
        summary=(
            f"{client} sent the internet about {facts.sent / MEGABYTE:,.0f} MB within an hour; "
            f"in this batch to {main_server_and_others(finding.tally)}."
        ),
        because=(
            f"{started_by(client, finding.example)}; hosts of its role ({facts.role}) "
            f"{most if facts.usual else 'never did on several days'}"
        ),
        likely="data on its way out, or a backup, an export or a migration that is new",
        query_terms=(client, finding.main_server),
    )


DETECTOR: Final = Detector(
    name="egress-volume",
    summary=(
        "one of your hosts sends the internet 500 MB within an hour, and at least five times what "
        "hosts of its role do on three days of a month"
    ),
    severity=Severity.MEDIUM,
    technique="T1048",
    thresholds=("upload_megabytes",),
    needs=frozenset({Need.BASELINE, Need.TCP_FLAGS}),
    state=(BASELINES, UPLOADS, UPLOAD_SIZES),
    finds=("exfiltration",),
    runbook=(
        "Find the process on {subject} that sends, and who owns {server}.",
        "If nobody vouches for it: cut {subject} off from the internet, and find out what it could read.",
        f"If it is wanted: nothing; after {DAYS_SENT} days it is usual. Or name the host in `exempt`.",
    ),
    detect=detect,
    text=text,
)
