"""The lines contain every incident as labeled, and no incidents without a label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

import pytest

from benchmarks.evaluation.generator.event_queue import EventQueue
from benchmarks.evaluation.generator.fleet import Fleet
from benchmarks.evaluation.generator.hosts import Period, any_contains
from benchmarks.evaluation.generator.incidents import KINDS, Incidents
from benchmarks.evaluation.generator.model import DAY, Incident
from benchmarks.evaluation.generator.scheduler import Scheduler
from flowwarden.records.model import Action, Flow, Gap, GapKind
from tests.benchmarks.evaluation.networks import RATE, Made, made, network


@pytest.fixture(scope="module")
def result() -> Made:
    """Generated traffic of an account with one incident of each kind, among little other traffic."""
    return made(learning_days=0, judged_days=1, judged_rate=RATE, incidents_of_each_kind=1, seed=3)


def labeled(result: Made, kind: str) -> Incident:
    """The incident of a kind."""
    (label,) = (each for each in result.labels if each.kind == kind)
    return label


def shown(result: Made, label: Incident) -> list[Flow]:
    """The flows between the source and the targets of an incident, during the incident."""
    return [
        flow
        for flow in result.flows
        if flow.pkt_srcaddr == label.source and flow.pkt_dstaddr in label.targets
        if label.begin <= (flow.start or 0) <= label.end + 60
    ]


def test_every_kind_happens_after_learning(result: Made) -> None:
    """And begins before the end of the generated period."""
    assert sorted(each.kind for each in result.labels) == sorted(KINDS)
    network = result.network
    assert all(network.judged_from <= each.begin < each.end for each in result.labels)
    assert all(each.begin < network.end for each in result.labels)


def test_traffic_without_incidents_has_no_labels() -> None:
    """Its faults are not incidents."""
    assert made().labels == []


def ports(flows: list[Flow]) -> int:
    """Distinct destination ports."""
    return len({flow.dstport for flow in flows})


def hosts(flows: list[Flow]) -> int:
    """Distinct destinations."""
    return len({flow.pkt_dstaddr for flow in flows})


def refused(flows: list[Flow]) -> int:
    """Rejected records."""
    return sum(flow.action is Action.REJECT for flow in flows)


def accepted(flows: list[Flow]) -> int:
    """Accepted records larger than a probe."""
    return sum(flow.action is Action.ACCEPT and (flow.packets or 0) > 3 for flow in flows)


@pytest.mark.parametrize(
    ("kind", "what", "least"),
    [
        ("fast-vertical-scan", ports, 200),
        ("horizontal-scan", hosts, 60),
        ("block-scan", hosts, 20),
        ("block-scan", ports, 8),
        ("slow-scan", ports, 90),
        ("very-slow-scan", ports, 50),
        ("lateral-movement", hosts, 8),
        ("lateral-movement", accepted, 6),
        ("ssh-brute-force", accepted, 120),
        ("listener-goes-out", accepted, 3),
        ("public-into-private", accepted, 1),
        ("database-initiates", hosts, 3),
        ("scan-hit", refused, 10),
        ("scan-hit", accepted, 1),
        ("exfiltration", accepted, 4),
        ("egress-rejects", refused, 48),
    ],
)
def test_an_incident_has_records_between_source_and_targets(
    result: Made, kind: str, what: Callable[[list[Flow]], int], least: int
) -> None:
    """Counted over all interfaces that recorded it."""
    assert what(shown(result, labeled(result, kind))) >= least


def test_a_security_group_fault_rejects_requests_and_an_acl_rejects_replies(result: Made) -> None:
    """At the server's interface, for hours."""
    fault, acl = (labeled(result, kind) for kind in ("security-group-fault", "nacl-fault"))
    at_fault = [f for f in result.flows if f.interface_id == fault.interface_id and f.action is Action.REJECT]
    assert sum(flow.tcp_flags == 2 for flow in at_fault) > 20
    at_acl = [f for f in result.flows if f.interface_id == acl.interface_id and f.action is Action.REJECT]
    assert sum(flow.tcp_flags == 18 and flow.flow_direction == "egress" for flow in at_acl) > 20


@pytest.mark.parametrize(
    ("kind", "port", "least"),
    [
        ("tightened-group", None, 5),
        ("tightened-egress", None, 5),
        ("debug-logging", 443, 5),
        ("gossip-rollout", 7946, 5),
        ("recovery-test", 8443, 3),
    ],
)
def test_a_change_shows_at_many_hosts(result: Made, kind: str, port: int | None, least: int) -> None:
    """Each is one incident, whose label contains all of the hosts."""
    label = labeled(result, kind)
    shown = [
        flow
        for flow in result.flows
        if label.begin <= (flow.start or 0) <= label.end + 60
        if port in {None, flow.dstport} and (port or flow.action is Action.REJECT)
    ]
    hosts = {flow.pkt_srcaddr for flow in shown} & {*label.targets}
    assert label.source in label.targets
    assert len(hosts) >= least


def test_a_spike_is_more_than_a_day_of_radiation(result: Made) -> None:
    """Within an hour."""
    spike = labeled(result, "reject-spike")
    mine = [flow for flow in result.flows if flow.interface_id == spike.interface_id]
    inside = [flow for flow in mine if spike.begin <= (flow.start or 0) <= spike.end]
    assert spike.end - spike.begin < 3600
    assert refused(inside) > 2 * (refused(mine) - refused(inside)) / RATE


def test_lost_records_missing_lines_and_garbage_occur_at_the_labeled_interface(result: Made) -> None:
    """SKIPDATA for each window; no lines; only malformed lines."""
    lost, silent, garbled = (
        labeled(result, kind) for kind in ("records-lost", "interface-silent", "unreadable-lines")
    )
    skipped = [
        gap
        for gap in result.gaps
        if gap.interface_id == lost.interface_id and gap.kind is GapKind.SKIPDATA
        if lost.begin <= (gap.start or 0) < lost.end
    ]
    assert len(skipped) >= (lost.end - lost.begin) // 600 - 1
    heard: list[Flow | Gap] = [*result.flows, *result.gaps]
    span = range(silent.begin, silent.end - 600)
    assert not any(each.interface_id == silent.interface_id and each.start in span for each in heard)
    streams = {
        each.log_stream
        for each in result.deliveries
        if any(bad.line in each.lines for bad in result.malformed)
    }
    assert streams == {f"{garbled.interface_id}-all"}


def test_incidents_of_a_kind_are_spread_over_the_scored_days() -> None:
    """Four incidents of a kind are on at least two days."""
    given = network(learning_days=14, judged_days=4, incidents_of_each_kind=4)
    random = Random(1)  # noqa: S311 -- draws incidents, not secrets
    fleet = Fleet(random, given.layout, given.interfaces, given.window)
    planned = Incidents(Scheduler(random, fleet, EventQueue(), given)).planned
    assert planned == sorted(planned)
    assert Counter(kind for _, kind in planned) == dict.fromkeys(KINDS, 4)
    days = {kind: {at // DAY for at, each in planned if each == kind} for kind in KINDS}
    assert all(len(each) >= 2 for each in days.values())


def test_incidents_of_a_kind_strike_different_roles_and_vpcs() -> None:
    """A second one at the same role would often be a repeat of the first, and send no page."""
    given = network(interfaces=300, judged_days=3)
    random = Random(1)  # noqa: S311 -- draws incidents, not secrets
    scheduler = Scheduler(
        random, Fleet(random, given.layout, given.interfaces, given.window), EventQueue(), given
    )
    for kind, begin in (("one", 0), ("two", DAY)):
        scheduler.kind = kind
        times = range(begin, begin + 60_000, 10_000)
        reserved = [scheduler.reserve(("bastion", "legacy"), at, at + 60).interface for at in times]
        assert len({(each.vpc_id, each.role) for each in reserved}) == 6


def test_incidents_of_a_role_use_different_ports() -> None:
    """What a role does on two days counts as usual; another role may use the same."""
    given = network()
    random = Random(1)  # noqa: S311 -- draws incidents, not secrets
    fleet = Fleet(random, given.layout, given.interfaces, given.window)
    scheduler = Scheduler(random, fleet, EventQueue(), given)
    app, other = fleet.with_role("app")[:2]
    (web, *_) = fleet.with_role("web")
    ports = [scheduler.port(host, (1, 2, 3)) for host in (app, other, app, web, web, web)]
    assert sorted(ports[:3]) == sorted(ports[3:]) == [1, 2, 3]


def test_a_second_span_of_a_day_keeps_the_first_one() -> None:
    """Both incidents are scheduled at the start of the day, perhaps for the same host."""
    periods = Period(100, 200), Period(500, 600)
    assert [any_contains(periods, moment) for moment in (99, 100, 199, 200, 550)] == [
        False, True, True, False, True,
    ]  # fmt: skip
    assert not any_contains((), 100)
