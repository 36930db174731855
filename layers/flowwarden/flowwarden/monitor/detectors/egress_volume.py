"""egress-volume: an internal host sends out far more data than is usual for its role.

What: an internal host that sends at least `upload_megabytes` to the internet within an hour, or `DAY_FACTOR`
    (2) times as much within 24 hours, over connections that it initiated, and at least five times the amount
    that hosts of its role sent on `DAYS_SENT` (3) of the last thirty days, rounded up to a power of two. If
    the large uploads of a role always go to the same networks, those to others are compared with nothing.
    A day with a finding counts only for the same host or network, unless there are six such days with
    different ones. Uploads to AWS services, where the record identifies them, are summed apart, and usual
    after `DAYS_TO_AWS` (2) days, of other hosts after four.
Why: stolen data must be sent somewhere: at once or slowly, in few or many connections, also to a bucket of
    the attacker. Legitimate uploads of a role recur, so a volume far above all earlier ones is worth a check.
False positives: a first backup, a migration, a dump for vendor support: check once. Recurring uploads of one
    host, or to one network, count as usual after some days; add hosts that may send anything to `exempt` in
    the policy. Two flow logs with different aggregation intervals, for example during a replacement, count a
    connection twice.
Blind: less than the limit of a day; data that the far end fetches over a connection of its own; roles that
    send as much anyway, to changing networks or to AWS services. Long connections on ports from 32,768, or
    that the role never opened: only the first record shows the initiator. Ports that no common service uses,
    if the log format has no TCP flags, because the initiator is a guess then.
While a role is learned, its volumes are stored, and nothing is reported. Uploads to AWS services are reported
    from two weeks after the first version that sums them.
Events: none alone; see tests/monitor/detectors/test_egress_volume_over_time.py.
ATT&CK: T1048 Exfiltration Over Alternative Protocol.

The bytes of a day are stored as a set of records with their sizes, of small records a sample: see
`traffic.uploads`, `traffic.record_sizes` and `traffic.upload_sums`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from flowwarden.monitor.behavior import Behavior, always
from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.causes import Shares
from flowwarden.monitor.detectors.base import Detector, Need
from flowwarden.monitor.findings import Severity, SurplusFinding, TrafficFinding
from flowwarden.monitor.text import Text, estimated, main_server_and_others, short_servers, started_by
from flowwarden.monitor.traffic.host_activity import SPANS
from flowwarden.monitor.traffic.host_uploads import HostUploads, Sources, Upload, ends_of
from flowwarden.monitor.traffic.known_openings import KnownOpenings
from flowwarden.monitor.traffic.selection import without_repeats
from flowwarden.monitor.traffic.summed_uploads import Summed, summed, volume_of
from flowwarden.monitor.traffic.tally import sample_of
from flowwarden.monitor.traffic.upload_sums import Sent, Sums, places_of
from flowwarden.monitor.traffic.uploads import counted, main_receiver, uploads, window_of
from flowwarden.monitor.traffic.usual_volume import (
    DAYS,
    MEGABYTE,
    MOST_NETWORKS,
    NETWORKS,
    UNUSUAL,
    comparable,
    key_of,
    keys,
    learned,
    limit,
    measured,
    usual,
    usual_networks,
)
from flowwarden.monitor.view import BatchView
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import Directions
from flowwarden.network.host_set import host_set
from flowwarden.network.initiator import by_opening
from flowwarden.policy.detection import Thresholds
from flowwarden.records.columnar.tokenizer import Integers
from flowwarden.state.schema import BASELINES, NEW_EGRESS, UPLOAD_SIZES, UPLOADS
from flowwarden.state.sets import DAY, HOUR, Addition, together

UPLOADS_OF_BATCH: Final = 32
"""Maximum (host, day) pairs that a batch compares with what is usual: each reads a month of a role."""


class Facts(Struct, frozen=True):
    """The evidence for the finding."""

    role: str
    sent: float
    """Bytes sent in the span, approximately."""
    usual: int
    """Bytes per span that the role reached on several days; 0 if it never did."""
    span: int = HOUR
    """Seconds."""
    new_networks: bool = False
    """Whether only data to networks counts to which the role usually sends nothing."""
    limit: int = 0
    """The threshold for the bytes."""


type EgressVolume = TrafficFinding[Facts]


def detect(view: BatchView, state: StateView, thresholds: Thresholds) -> list[EgressVolume | SurplusFinding]:
    """A finding for each host that sends far more than is usual for its role.

    Interfaces that EC2 does not describe are skipped: one may be a NAT gateway, which sends for many hosts.
    """
    rows = rows_of(view, state)
    if not len(rows):
        return []
    sources = Sources(view.directions, view.index, view.profiles, view.now)
    found = sources.largest(counted(view.directions, rows), host_set(view.policy.exempt))
    least, room = limit(0, thresholds.upload_megabytes), UPLOADS_OF_BATCH * state.breadth
    beyond = sum(volume_of(each.added.sets).total() >= least for each in found[room:])
    most, directions = thresholds.upload_megabytes, view.directions
    judged = [_judge(state, directions, each, most) for each in found[:room]]
    additions = together(each for one in judged for each in one.learned)
    for added in sorted(additions, key=lambda each: each.sets.keys().isdisjoint(UNUSUAL.values())):
        state.add(added)
    unusual = [each.unusual for each in judged if each.unusual]
    return [*_reports(view, rows, unusual), *DETECTOR.surplus(beyond)]


def rows_of(view: BatchView, state: StateView) -> Integers:
    """The rows of all uploads; of later records of connections, if the role is known to open them."""
    rows, later = uploads(view.directions)
    if len(sampled := counted(view.directions, later)):
        known = KnownOpenings(view.directions, view.index, view.profiles, state, view.now)
        rows = np.sort(np.concatenate([rows, later[known.holds(later, sampled, rows)]]))
    return without_repeats(view.records.flows, rows)


class Unusual(Struct, frozen=True):
    """An upload to report."""

    upload: Upload
    sent: Sent
    facts: Facts
    networks: frozenset[int] | None = None
    """Those to which the role usually sends; None if they do not matter."""


class _Judgment(Struct, frozen=True):
    """What is reported about an upload, and what it adds to what is usual for the role."""

    unusual: Unusual | None = None
    learned: tuple[Addition, ...] = ()


def _judge(state: StateView, directions: Directions, upload: Upload, megabytes: int) -> _Judgment:
    place, profile = upload.place, upload.profile
    known = summed(state, upload, megabytes)
    sums = known.sums()
    much = [span for span, sent in sums.items() if sent.bytes >= limit(0, megabytes, span)]
    unlearned = place.outside is PeerClass.AWS_SERVICE and not profile.is_measured
    if profile.learning or unlearned or not much:
        return _Judgment(learned=_learned(state, upload, {span: each.bytes for span, each in sums.items()}))
    items = [*state.read_once(keys(profile.role, place.day)).values()]
    if state.is_away:
        return _Judgment()
    ends = ends_of(directions, upload)
    items = comparable(items, ends, place.outside)
    usually = {span: usual(items, place.outside, span) for span in sums}
    most = {span: limit(usually[span], megabytes, span) for span in sums}
    networks = usual_networks(items)
    found = _above(upload, sums, usually, most) or _elsewhere(known, networks, usually, megabytes)
    capped = {span: min(each.bytes, most[span]) for span, each in sums.items()}
    return _Judgment(found, _learned(state, upload, capped, ends, found))


def _above(upload: Upload, sums: Sums, usually: dict[int, int], most: dict[int, int]) -> Unusual | None:
    """The upload, if it is larger than is usual for the role."""
    for span, sent in sums.items():
        if is_too_much(sums, span, most[span]):
            facts = Facts(upload.profile.role, sent.bytes, usually[span], span, limit=most[span])
            return Unusual(upload, sent, facts)
    return None


def is_too_much(sums: Sums, span: int, most: int) -> bool:
    """Whether a host sent too much within a span.

    Within a day only if it still sends its share of the limit, or each later upload would report it again.
    """
    share = most * HOUR / span if span == DAY else 0
    return measured(sums[span].bytes, span, most).reached and sums[HOUR].bytes >= share


def _elsewhere(
    known: Summed, networks: frozenset[int] | None, usually: dict[int, int], megabytes: int
) -> Unusual | None:
    """The upload, if too much of it goes to networks that are new for a role with few."""
    upload = known.upload
    if networks is None or upload.place.outside is not PeerClass.INTERNET:
        return None
    sums = known.sums(networks)
    for span, sent in sums.items():
        if is_too_much(sums, span, least := limit(0, megabytes, span)):
            role, before = upload.profile.role, usually[span]
            facts = Facts(role, sent.bytes, before, span, new_networks=True, limit=least)
            return Unusual(upload, sent, facts, networks)
    return None


def _learned(
    state: StateView,
    upload: Upload,
    sent: dict[int, float],
    ends: frozenset[int] = frozenset(),
    unusual: Unusual | None = None,
) -> tuple[Addition, ...]:
    """What to add to the role's days. Those of an unusual upload say only what is usual for its own ends."""
    place, role = upload.place, upload.profile.role
    known = state.known(key_of(role, place.day)).get(NETWORKS, frozenset())
    networks = () if len(known) >= MOST_NETWORKS else upload.networks[:MOST_NETWORKS]
    ends = ends if unusual else frozenset()
    today = learned(role, place.day, place.outside, sent, networks, ends)
    if unusual and unusual.facts.span == DAY:
        return today, learned(role, place.day - 1, place.outside, {}, (), ends)
    return (today,)


def _reports(view: BatchView, rows: Integers, unusual: Sequence[Unusual]) -> list[EgressVolume]:
    """The findings; each shows all uploads of its host in the batch, of which `rows` are all."""
    if not unusual:
        return []
    directions, hosts = view.directions, HostUploads(view.directions, view.index, rows)
    return [report(one, directions, hosts.of(int(one.upload.rows[0]))) for one in unusual]


def report(unusual: Unusual, directions: Directions, rows: Integers) -> EgressVolume:
    """The finding about a host; the rows are its uploads of the batch."""
    place, end, facts = unusual.upload.place, unusual.sent.end, unusual.facts
    if unusual.networks is not None:
        elsewhere = [each not in unusual.networks for each in places_of(directions, rows)]
        rows = rows[elsewhere] if any(elsewhere) else rows
    sample = sample_of(directions, rows)
    example = replace(sample.example, verdict=by_opening(sample.example.verdict))
    window = window_of(directions, rows, end - facts.span, end)
    finding = DETECTOR.finding(
        subject=place.host,
        peer_class=place.outside,
        sample=replace(sample, example=example, window=window),
        facts=facts,
    )
    return replace(finding, mostly=main_receiver(directions, rows))


def text(finding: EgressVolume) -> Text:
    """The finding in words."""
    client, facts = finding.subject, finding.facts
    sent, span = f"{estimated(facts.sent, finding.window, MEGABYTE)} MB", SPANS[facts.span]
    where = "AWS services" if finding.peer_class is PeerClass.AWS_SERVICE else "the internet"
    return Text(
        summary=(
            f"{client} sent {sent} to {where} within {span}, "
            f"in this batch to {main_server_and_others(finding.tally)}."
        ),
        because=f"{started_by(client, finding.example)}; hosts of its role ({facts.role}) {_usual(finding)}",
        likely="data exfiltration, or a new backup, export or migration",
        counted=f"{sent} sent within {span}",
        brief=f"{client} sent {sent} to {where.removeprefix('the ')}: {short_servers(finding.tally)}",
        query_terms=(client,),
    )


def _usual(finding: EgressVolume) -> str:
    """What hosts of the role usually do."""
    if finding.facts.new_networks:
        return "usually send large amounts to the same few networks, and these are others"
    if usual := finding.facts.usual:
        span = "day" if finding.facts.span == DAY else "hour"
        return f"usually send at most {usual // MEGABYTE:,} MB per {span}"
    return f"made comparable large uploads on fewer than {DAYS[finding.peer_class]} days"


DETECTOR: Final = Detector(
    name="egress-volume",
    summary=(
        "one of your hosts sends 500 MB or more to the internet or to AWS services within an hour, or twice "
        "as much within a day, and at least five times what is usual for its role, or to new networks"
    ),
    severity=Severity.MEDIUM,
    quiet=DAY,
    shares=Shares.DESTINATION,
    measures="sent",
    behavior=always(Behavior.EGRESS),
    technique="T1048",
    thresholds=("upload_megabytes",),
    needs=frozenset({Need.BASELINE, Need.TCP_FLAGS}),
    state=(BASELINES, UPLOADS, UPLOAD_SIZES, NEW_EGRESS),
    finds=(
        *("exfiltration", "exfiltration-in-pieces", "slow-exfiltration", "exfiltration-to-bucket"),
        *("exfiltration-among-uploads", "exfiltration-on-new-port", "debug-logging"),
    ),
    runbook=(
        "Find the process on {subject} that sends the data, and the owner of {server}.",
        "If no owner confirms it, block internet access for {subject} and check which data it can read.",
        "If the upload is expected, no action is required: it counts as usual after some days.",
    ),
    detect=detect,
    text=text,
)
