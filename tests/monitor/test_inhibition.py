"""Inhibition across batches: what was reported about a host suppresses lesser pages about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flowwarden.monitor.baseline.baseline import EDGES, REFUSED, Edge, refused
from flowwarden.monitor.caches.state import StateCache
from flowwarden.monitor.detectors import DETECTORS
from flowwarden.monitor.findings import Severity, TrafficFinding
from flowwarden.monitor.inhibition import Inhibition
from flowwarden.monitor.pipeline import Invocation, MonitoringService
from flowwarden.monitor.report import BatchReport, route_of
from flowwarden.monitor.reported import LONGEST, MOST_READ
from flowwarden.notify.alert import Route
from flowwarden.policy.policy import Policy
from flowwarden.records.model import FlowDirection
from flowwarden.records.subscription import LogBatch
from flowwarden.state.schema import BASELINES, MOST_REPORTED, REPORTED
from flowwarden.state.sets import Sets, fingerprint
from tests.examples import examples
from tests.faults import Faults
from tests.flows import flow, rejected
from tests.monitor.fakes_state import MemoryEvidence
from tests.monitor.render.examples import EXAMPLES
from tests.monitor.scenarios import Account, batches, line_of
from tests.monitor.weeks import CLIENT, OUT, TODAY, got, learned, visit

NOW = 1_764_000_000
HOUR = 3600
SCANNER, OTHER = "10.0.1.66", "10.0.1.20"


def batch(name: str, *lines: str) -> LogBatch:
    """A batch of an interface of its own."""
    return LogBatch("111122223333", "/flow-warden/flow-logs", f"eni-{name}", lines, name)


def probes(host: str = SCANNER, vpc: str = "vpc-1", interface: str = "eni-scanner") -> LogBatch:
    """A host is rejected at many ports: host-probing, as its own interface logged it."""
    given = {"vpc_id": vpc, "interface_id": interface, "start": NOW - 90, "end": NOW - 40}
    flows = [rejected(f"{host}:50000", f"10.0.2.30:{port}", tcp_flags=2, **given) for port in range(20, 33)]
    return batch(f"probes of {host} in {vpc}", *map(line_of, flows))


def blocked(host: str = SCANNER, vpc: str = "vpc-1", name: str = "blocked") -> LogBatch:
    """The host is rejected by a database, as the database's interface logged it: blocked-connection."""
    given = {"vpc_id": vpc, "interface_id": "eni-db", "start": NOW - 90, "end": NOW - 40}
    flows = [
        rejected(f"{host}:5{port}", "10.0.2.40:5432", tcp_flags=2, **given) for port in range(1000, 1004)
    ]
    return batch(f"{name} {host} {vpc}", *map(line_of, flows))


def process(service: MonitoringService, given: LogBatch, now: int = NOW) -> BatchReport:
    """Process a batch."""
    return service.process(given, Invocation(f"attempt {given.batch_id} {now}", lambda: 300.0), now)


def detectors(account: Account) -> list[str]:
    """The detectors of the pages."""
    return [each.attributes["detector"] for each in account.pages.sent]


def test_a_lesser_finding_in_another_batch_does_not_page() -> None:
    """Of another interface and container; it is still reported."""
    account = Account()
    process(account.container(Faults()), probes())
    report = process(account.container(Faults()), blocked(), NOW + 60)
    assert detectors(account) == ["host-probing"]
    assert [each.detector for each in report.reported] == ["blocked-connection"]


@pytest.mark.parametrize(
    "later", [blocked(OTHER), blocked(vpc="vpc-2"), probes(OTHER)], ids=["host", "vpc", "as grave"]
)
def test_other_findings_page(later: LogBatch) -> None:
    """About another host, about the same address in another VPC, and of the same detector."""
    account = Account()
    service = account.container(Faults())
    process(service, probes())
    process(service, later, NOW + 60)
    assert len(account.pages.sent) == 2


IN_SUBNET = {"vpc_id": "vpc-1", "subnet_id": "subnet-1", "interface_id": "eni-db", "start": NOW - 90}


def denied(direction: FlowDirection) -> LogBatch:
    """The network ACL of the database's subnet denies the replies of one direction: nacl-blocks-replies."""
    inbound = direction is FlowDirection.INGRESS
    flows = []
    for port in range(51_000, 51_012):
        given: dict[str, Any] = {**IN_SUBNET}
        client, server = ("10.0.2.40", "10.0.9.1") if inbound else ("10.0.9.1", "10.0.2.40")
        ends = f"{client}:{port}", f"{server}:5432"
        back = FlowDirection.EGRESS if inbound else FlowDirection.INGRESS
        flows += [
            flow(*ends, tcp_flags=2, flow_direction=back, end=NOW - 80, **given),
            rejected(*ends[::-1], tcp_flags=18, flow_direction=direction, end=NOW - 79, **given),
        ]
    return batch(f"replies {direction}", *map(line_of, flows))


def refused_at(direction: FlowDirection) -> LogBatch:
    """A host is blocked from a service, as an interface in that subnet logged it: blocked-connection."""
    given: dict[str, Any] = {**IN_SUBNET}
    inbound = direction is FlowDirection.INGRESS
    client, server = ("10.0.9.7", "10.0.2.40") if inbound else ("10.0.2.40", "10.0.9.7")
    flows = [
        rejected(
            f"{client}:5{port}",
            f"{server}:5432",
            tcp_flags=2,
            flow_direction=direction,
            end=NOW - 40,
            **given,
        )
        for port in range(1000, 1004)
    ]
    return batch(f"blocked {direction}", *map(line_of, flows))


@pytest.mark.parametrize("denies", [FlowDirection.EGRESS, FlowDirection.INGRESS])
@pytest.mark.parametrize("at_once", [True, False])
def test_rules_of_one_direction_explain_only_what_goes_that_way(
    denies: FlowDirection, *, at_once: bool
) -> None:
    """In one batch and in two: outbound rules cannot reject a request that comes in."""
    for blocked_at in (FlowDirection.EGRESS, FlowDirection.INGRESS):
        account, first, second = Account(), denied(denies), refused_at(blocked_at)
        service = account.container(Faults())
        if at_once:
            process(service, batch(f"both {denies} {blocked_at}", *first.lines, *second.lines))
        else:
            process(service, first)
            process(service, second, NOW + HOUR)
        expected = ["nacl-blocks-replies", *(["blocked-connection"] if blocked_at is not denies else [])]
        assert sorted(detectors(account)) == sorted(expected)


def test_a_lesser_finding_pages_if_it_comes_first() -> None:
    """The graver one pages as well."""
    account = Account()
    service = account.container(Faults())
    process(service, blocked())
    process(service, probes(), NOW + 60)
    assert detectors(account) == ["blocked-connection", "host-probing"]


def test_inhibition_ends_with_the_suppression_of_repeats() -> None:
    """After four hours, over midnight too."""
    for begin in (NOW, NOW - NOW % 86_400 + 86_400 - 1800):
        account = Account()
        service = account.container(Faults())
        process(service, probes(), begin)
        process(service, blocked(), begin + 3 * HOUR)
        assert detectors(account) == ["host-probing"]
        process(service, blocked(name="later"), begin + 6 * HOUR)
        assert detectors(account) == ["host-probing", "blocked-connection"]


def test_a_repeat_of_the_graver_finding_prolongs_inhibition() -> None:
    """Although the repeat itself is suppressed."""
    account = Account()
    service = account.container(Faults())
    process(service, probes())
    process(service, batch("repeat", *probes().lines), NOW + 3 * HOUR)
    process(service, blocked(), NOW + 6 * HOUR)
    assert detectors(account) == ["host-probing"]


def test_a_page_that_is_not_sent_inhibits_nothing() -> None:
    """The lesser finding pages; the retry of the batch sends the graver one."""
    account = Account()
    account.pages.away = True
    service = account.container(Faults())
    assert process(service, probes()).delivery.unsent
    account.pages.away = False
    process(service, blocked(), NOW + 60)
    process(service, probes(), NOW + 120)
    assert detectors(account) == ["blocked-connection", "host-probing"]


def test_a_table_that_does_not_answer_inhibits_nothing() -> None:
    """A page too many is better than one too few."""
    account = Account()
    process(account.container(Faults()), probes())
    account.evidence.is_away = True
    process(account.container(Faults()), blocked(), NOW + 60)
    assert detectors(account) == ["host-probing", "blocked-connection"]


def stored(account: Account) -> set[str]:
    """The items with reported findings."""
    return {key for key in account.evidence.written if key.startswith(REPORTED.prefix)}


def test_an_exempt_host_inhibits_nothing() -> None:
    """Its findings do not page."""
    account = Account()
    account.policy = account.policy.from_json(f'{{"exempt": ["{SCANNER}"]}}')
    process(account.container(Faults()), probes())
    assert stored(account) == set()


def test_a_batch_stores_the_gravest_findings_and_the_next_one_the_others() -> None:
    """First those about the hosts with most records. Each one that waits is counted."""
    account = Account()
    service = account.container(Faults())
    lines = [line for host in range(1, 9) for line in probes(f"10.0.1.{host}").lines]
    lines += [line for host in range(7, 9) for line in probes(f"10.0.1.{host}").lines]
    louder = [line.replace(" 50000 ", " 50001 ") for line in lines[-26:]]
    first = process(service, batch("loud", *lines, *louder))
    assert len(stored(account)) == MOST_REPORTED
    assert {"10.0.1.7", "10.0.1.8"} < {key.split("#")[-1] for key in stored(account)}
    assert first.deferred >= 4
    process(service, batch("loud again", *lines, *louder))
    assert {key.split("#")[-1] for key in stored(account)} == {f"10.0.1.{host}" for host in range(1, 9)}


@dataclass
class Asked(MemoryEvidence):
    """Remembers the keys that were read."""

    keys: list[str] = field(default_factory=list)

    def read(self, keys: Sequence[str]) -> Mapping[str, Sets]:
        """See the port."""
        self.keys += keys
        return super().read(keys)


def many(count: int) -> list[TrafficFinding]:
    """Blocked connections of many hosts, some of which have more records."""
    one = EXAMPLES["blocked-connection"]()
    assert isinstance(one, TrafficFinding)
    return [
        replace(one, subject=f"10.1.{n >> 8}.{n & 255}", tally=replace(one.tally, records=1 + n % 7))
        for n in range(count)
    ]


@examples(0.4)
@given(st.integers(0, 1200), st.randoms(use_true_random=False))
def test_a_batch_asks_for_few_items_about_its_gravest_findings(count: int, random: Random) -> None:
    """The same ones in whichever order they were found; the others page, and are counted."""
    findings, shuffled = many(count), many(count)
    random.shuffle(shuffled)
    asked = []
    for each in (findings, shuffled):
        evidence = Asked()
        state = StateCache(evidence).for_batch()
        assert Inhibition("111122223333", 240, NOW).of(each, state) == each
        asked.append(frozenset(evidence.keys))
        subjects = {key.split("#")[-1] for key in evidence.keys}
        looked_up = [one for one in findings if one.subject in subjects]
        assert len(evidence.keys) <= MOST_READ
        assert state.deferred == count - len(looked_up)
        rest = [one.tally.records for one in findings if one not in looked_up]
        assert not rest or max(rest) <= min(one.tally.records for one in looked_up)
    assert asked[0] == asked[1]


def test_what_an_inhibited_finding_is_about_is_not_learned() -> None:
    """It is part of the incident that was reported, so it must not become usual."""
    sessions = [each for port in range(41_000, 41_060) for each in got("10.0.9.1", 22, client_port=port)]
    moves = [each for host in (1, 2, 3) for each in got(f"10.0.77.{host}", 22)]
    for before, paged in (([sessions], ["brute-force"]), ([], ["lateral-movement"])):
        account = Account(evidence=learned())
        for one, now in batches(*before, moves):
            report = process(account.container(Faults()), one, now)
        assert "lateral-movement" in {each.detector for each in report.found}
        assert detectors(account) == paged
        edge = fingerprint(*Edge("out", 6, 22, "10.0.77.0/24"))
        today = account.evidence.items.get(BASELINES.key_of("tag:Role=web", TODAY // 86_400), {})
        assert edge not in today.get(EDGES, frozenset())


def test_an_inhibited_refusal_is_not_learned_as_usual() -> None:
    """Without inhibition, it was reported, and a standing misconfiguration may become usual."""
    fixed = {"vpc_id": "vpc-1", "interface_id": "eni-1", "start": TODAY + 3600, "end": TODAY + 3660}
    lines = [
        line_of(rejected(f"{SCANNER}:5{port}", "10.0.3.1:5432", tcp_flags=2, flow_direction=OUT, **fixed))
        for port in range(1000, 1004)
    ]
    for first, expected in (([], True), ([probes()], False)):
        account = Account(evidence=learned())
        for one in first:
            process(account.container(Faults()), one, TODAY + 3700)
        process(account.container(Faults()), batch("refused", *lines), TODAY + 3800)
        items = account.evidence.items.get(BASELINES.key_of("tag:Role=web", TODAY // 86_400), {})
        edge = fingerprint(*refused(Edge("out", 6, 5432, "10.0.3.0/24")))
        assert (edge in items.get(REFUSED, frozenset())) is expected


def test_only_what_the_detector_holds_back_is_a_row_of_the_digest() -> None:
    """Not what is silenced because its host is exempt."""
    web = learned(*got("198.51.100.7", 443))
    for exempt, rows in (((), 1), ((CLIENT,), 0)):
        account = Account(evidence=deepcopy(web), policy=Policy(exempt=exempt))
        ((given, now),) = batches([*got("203.0.113.9", 8443), *visit(22)])
        report = process(account.container(Faults()), given, now)
        assert report.digest_rows == rows
    silenced = replace(EXAMPLES["internet-to-admin-port"](), severity=Severity.INFO, silenced=True)
    assert route_of(silenced) is Route.LOG
    assert route_of(replace(silenced, silenced=False)) is Route.DIGEST


def test_a_long_suppression_of_repeats_inhibits_for_two_days() -> None:
    """And asks for few items."""
    account = Account()
    process(account.container(Faults()), probes())
    (grave,) = (
        account.container(Faults()).process(probes(), Invocation("again", lambda: 300.0), NOW + 1).found
    )
    year = [Inhibition("111122223333", 525_600, NOW + later) for later in (LONGEST - HOUR, LONGEST + HOUR)]
    lesser = replace(grave, detector="blocked-connection")
    for inhibition, pages in zip(year, (False, True), strict=True):
        state = StateCache(account.evidence).for_batch()
        assert [each.severity.pages for each in inhibition.of([lesser], state)] == [pages]


def test_probing_and_scanning_are_one_incident_in_either_order() -> None:
    """Also if the role of the host, which is part of the incident's key, is known in one batch only."""
    graver = {each.name: each.inhibits for each in DETECTORS}
    assert "host-probing" in graver["scan"]
    assert "scan" not in graver["host-probing"], "in one batch, both would be silenced"
    account = Account()
    service = account.container(Faults())
    process(service, probes())
    given = {"tcp_flags": 2, "vpc_id": "vpc-1", "start": NOW, "end": NOW, "flow_direction": OUT}
    tried = [flow(f"{SCANNER}:5{host:04}", f"10.0.9.{host}:8080", **given) for host in range(1, 60)]
    report = process(service, batch("scan", *map(line_of, tried)), NOW + 60)
    assert [each.detector for each in report.found] == ["scan"]
    assert detectors(account) == ["host-probing"]
