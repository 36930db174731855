"""reject-spike: the internet tries a host far more often than usual. Reported, never a page.

What: within 10 min, an internal host rejects far more distinct attempts (client, protocol, port) of internet
    hosts than usual: the robust z-score of log(1 + attempts) over the slots of the last day is above
    `LEAST_Z`, and the attempts are more than `spike_factor` times the median. A spike may be reported several
    times in its own slot, and not in the six hours after it.
Why: background radiation is always present, and a fixed threshold reports it all day (144 times on a /28 at
    100 REJECTs in 10 min; this rule 0.23 times). A deviation from the host's own pattern is a campaign
    against the host, or the first sign that its address was published. A later successful connection is
    reported by `scanner-connected`.
False positives: a host that several sources scan at the same time; an address that had another owner.
Blind: about 1,400 attempts in 10 min fill the buckets; a host that rejects as many all day has no spikes. The
    detector does not know which of the attempts are new.
ATT&CK: T1595 Active Scanning.
Events: reject-burst.json has too few; tests/monitor/detectors/test_reject_spike_over_time.py.

Attempts are stored as buckets of a slot, not as a sum. A sum grows with every repeated delivery, and only a
marker per batch could prevent that, which costs a transaction. A set is not affected, and the same packets
logged in two formats are one attempt. Only batches with at least `LEAST` attempts in a slot are stored; a
slot without an item had fewer, and counts as if it had `LEAST`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import log1p
from typing import Final
from zlib import crc32

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.detectors import internet_rejects
from flowwarden.monitor.detectors.base import Detector
from flowwarden.monitor.findings import FlowSample, Severity, TrafficFinding, Window
from flowwarden.monitor.measured import Measured
from flowwarden.monitor.text import Text, estimated
from flowwarden.monitor.traffic.reject_cause import likely_cause
from flowwarden.monitor.view import BatchView
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import Directions
from flowwarden.notify.alert import Route
from flowwarden.notify.text import plural
from flowwarden.policy.detection import Thresholds
from flowwarden.records.columnar.group_by import Groups, packed
from flowwarden.records.columnar.tokenizer import ABSENT, FIXED_MIX, Integers
from flowwarden.state.schema import ATTEMPTS, MOST_ATTEMPTS
from flowwarden.state.sets import BUCKETS, DAY, HOUR, Addition, distinct, error

SLOT: Final = 600
LEAST: Final = 25
"""Attempts of a batch in a slot from which on they are stored. 27,100 packets a day (Cloud Telescope, 2023)
are fewer records than that in most slots."""
HISTORY: Final = DAY // SLOT
QUIET: Final = 6 * HOUR // SLOT
"""Slots after a spike during which another spike counts as the same one."""
LEAST_Z: Final = 6.0
LEAST_SPREAD: Final = 0.25
"""Of log(1 + attempts). Without it, a host with an even rate has a spike at every small deviation."""
TO_SIGMA: Final = 1.4826
"""Factor from the median absolute deviation to the standard deviation of a normal distribution."""

(ATTEMPTED,) = ATTEMPTS.sets

type Place = tuple[str, str]
"""Interface and address of a host."""


class Facts(Struct, frozen=True):
    """The evidence for the finding."""

    attempts: float
    """Distinct attempts in the slot, approximately."""
    limit: int
    """The threshold: multiple of the median of the day before."""


type RejectSpike = TrafficFinding[Facts]


def detect(view: BatchView, state: StateView, thresholds: Thresholds) -> list[RejectSpike]:
    """A finding for each slot in which a host rejects far more attempts than usual.

    The day before is read only if the number of attempts could be a spike, and once per container and slot.
    """
    found: list[RejectSpike] = []
    directions, times = view.directions, thresholds.spike_factor
    tried = attempts(directions, view.noise, view.now)
    most = sorted(tried.items(), key=lambda each: (-len(each[1]), each[0]))
    for (place, slot), rows in most[: MOST_ATTEMPTS * state.breadth]:
        count = distinct(state.add(addition(place, slot, directions, rows))[ATTEMPTED])
        if may_be_one(count, times) and is_spike(slot, count, _before(state, place, slot), times):
            (refused,) = view.refused_at([_host_of(view, int(rows[0]))])
            window = Window(slot * SLOT, (slot + 1) * SLOT, len(rows), error(len(rows)))
            found.append(report(place[1], replace(refused, window=window), count, times))
    return found


def _host_of(view: BatchView, row: int) -> int:
    """The number of the host that rejected an attempt of the noise, given by row."""
    return int(view.noise_hosts.numbers[view.noise == row][0])


def _before(state: StateView, place: Place, slot: int) -> dict[int, float]:
    """The attempts of the day before, by slot."""
    wanted = keys(place, slot)
    items = state.read_once(wanted)
    return {wanted[key]: distinct(sets.get(ATTEMPTED, frozenset())) for key, sets in items.items()}


def attempts(directions: Directions, rows: Integers, now: int) -> dict[tuple[Place, int], Integers]:
    """A row of each attempt in the `noise`, by host and slot, if there are enough of them to store."""
    flows = directions.traffic.flows
    if len(rows) < LEAST:
        return {}
    starts = flows["start"][rows]
    slots = np.where(starts == ABSENT, now, np.minimum(starts, now)) // SLOT
    texts = len(flows.texts)
    hosts = packed([flows["interface_id"][rows], directions.server[rows]], [texts, texts])
    groups = Groups(packed([Groups(hosts).of(hosts)[0], slots], [len(rows), now]))
    found: dict[tuple[Place, int], Integers] = {}
    for number in (groups.sizes >= LEAST).nonzero()[0].tolist():
        members = groups.members(number)
        here = rows[members]
        different = here[_attempts(directions, here).rows]
        if len(different) >= LEAST:
            found[_place(directions, here[0]), int(slots[members[0]])] = different
    return found


def _place(directions: Directions, row: int) -> Place:
    flows = directions.traffic.flows
    return flows.text(int(flows["interface_id"][row])) or "", str(flows.text(int(directions.server[row])))


def _attempts(directions: Directions, rows: Integers) -> Groups:
    """Groups of identical attempts: same client, protocol and port."""
    flows = directions.traffic.flows
    columns = [directions.client[rows], flows["protocol"][rows], directions.service_port[rows]]
    return Groups(packed(columns, [len(flows.texts), 2**8, 2**16]))


def addition(place: Place, slot: int, directions: Directions, rows: Integers) -> Addition:
    """The evidence that the attempts in these rows add; a repeated attempt adds nothing."""
    buckets = _buckets(directions, rows)
    return Addition(
        _key(place, slot), {ATTEMPTED: frozenset(buckets.tolist())}, ATTEMPTS.kept_until(slot * SLOT)
    )


def _buckets(directions: Directions, rows: Integers) -> Integers:
    """A bucket for each attempt: identical in every container. Only clients are hashed one by one."""
    flows = directions.traffic.flows
    texts = flows.texts
    clients, numbers = np.unique(directions.client[rows], return_inverse=True)
    hashes = np.array([crc32(texts[client].encode()) for client in clients.tolist()], np.uint64)[numbers]
    services = (flows["protocol"][rows] << 16 | directions.service_port[rows]).astype(np.uint64)
    mixed = (hashes ^ services * FIXED_MIX) * FIXED_MIX
    buckets: Integers = (mixed >> _SHIFT).astype(np.int64)
    return buckets


_SHIFT: Final = np.uint64(64 - (BUCKETS - 1).bit_length())


def may_be_one(count: float, times: int) -> bool:
    """Whether this number of attempts in a slot is a spike if there is no history to compare it with."""
    return count > times * LEAST


def keys(place: Place, slot: int) -> dict[str, int]:
    """The items of the day before a slot, with their slots."""
    return {_key(place, before): before for before in range(slot - HISTORY, slot)}


def _key(place: Place, slot: int) -> str:
    return ATTEMPTS.key_of(f"{place[0]}/{place[1]}", slot)


def is_spike(slot: int, count: float, before: Mapping[int, float], times: int) -> bool:
    """Whether this number of attempts in a slot is a new spike.

    Args:
        slot: the slot of the attempts.
        count: the number of attempts.
        before: the attempts of the day before, by slot; a missing slot was quiet.
        times: the required multiple of the median.
    """
    usual = _usual(slot, before)
    return _is_outlier(count, usual, times) and not any(
        _is_outlier(attempts, usual, times) for each, attempts in before.items() if each >= slot - QUIET
    )


def _usual(slot: int, before: Mapping[int, float]) -> list[float]:
    """The attempts of the slots of a day before a slot; a slot that was not stored counts as `LEAST`."""
    return [max(before.get(each, 0.0), LEAST) for each in range(slot - HISTORY, slot)]


def _is_outlier(count: float, usual: Sequence[float], times: int) -> bool:
    logs = [log1p(each) for each in usual]
    middle = _median(logs)
    spread = max(TO_SIGMA * _median(abs(each - middle) for each in logs), LEAST_SPREAD)
    return (log1p(count) - middle) / spread > LEAST_Z and measured(count, usual, times).reached


def measured(count: float, usual: Sequence[float], times: int) -> Measured:
    """The attempts in a slot against a multiple of the median of the slots before it."""
    return Measured(
        what="rejected attempts from the internet within 10 min",
        value=count,
        limit=times * _median(usual),
        threshold="spike_factor",
        must_exceed=True,
    )


def known(state: StateView, place: Place, slot: int, times: int) -> Measured | None:
    """The stored attempts of a slot; None if they were too few to be stored. Reads what `detect` reads."""
    count = distinct(state.known(_key(place, slot)).get(ATTEMPTED, frozenset()))
    return measured(count, _usual(slot, _before(state, place, slot)), times) if count else None


def _median(values: Iterable[float]) -> float:
    """The median; the module `statistics` would take some milliseconds of each cold start."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return (ordered[middle] + ordered[~middle]) / 2


def report(host: str, refused: FlowSample, count: float, times: int) -> RejectSpike:
    """The finding about a host; `refused` is what the host rejected in the batch, `count` is of the slot."""
    return DETECTOR.finding(
        subject=host,
        peer_class=PeerClass.INTERNET,
        sample=refused,
        facts=Facts(attempts=count, limit=times),
    )


def text(finding: RejectSpike) -> Text:
    """The finding in words."""
    host, facts = finding.subject, finding.facts
    attempts = f"{estimated(facts.attempts, finding.window)} attempts"
    return Text(
        summary=(
            f"Far more connection attempts from the internet than usual were rejected at {host}: {attempts} "
            f"in 10 min, from {plural(len(finding.tally.clients), 'host')} in this batch alone."
        ),
        because=(
            f"the count is more than {facts.limit:g} times the median of the last day, and {LEAST_Z:g} "
            f"deviations above it on a logarithmic scale; {internet_rejects.BECAUSE}"
        ),
        likely=likely_cause(finding.example, "internet hosts", host),
        counted=f"{attempts} within 10 min",
        brief=f"{attempts} from the internet rejected at {host} in 10 min, far more than usual",
        query_terms=internet_rejects.query_terms(finding),
    )


DETECTOR: Final = Detector(
    name="reject-spike",
    summary="the internet tries one of your hosts more than five times as often as usual",
    severity=Severity.INFO,
    rejects=True,
    route=Route.DIGEST,
    unpaged=Route.DIGEST,
    technique="T1595",
    thresholds=("spike_factor",),
    state=(ATTEMPTS,),
    finds=("reject-spike",),
    runbook=("No action is required as long as the attempts are rejected.",),
    detect=detect,
    text=text,
)
