"""Mutes applied to findings: what a mute matches, and nothing else."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from flowwarden.bootstrap.deployment import check
from flowwarden.monitor.findings import Finding, TrafficFinding
from flowwarden.monitor.mutes import muted, peers_of, suggested
from flowwarden.monitor.traffic.hosts import Hosts
from flowwarden.network.interface import NetworkInterface
from flowwarden.policy.mutes import Mute
from flowwarden.policy.policy import Policy
from tests.flows import rejected
from tests.monitor.batches import NOW, triaged
from tests.monitor.render.examples import EXAMPLES
from tests.monitor.test_pipeline import BLOCKED, Account, batch, line

UNKNOWN = Hosts({})
WEB = Hosts(
    {"eni-1": NetworkInterface(interface_id="eni-1", vpc_id="vpc-1", tags={"Role": "web"})}, None, ("Role",)
)


def blocked() -> TrafficFinding:
    """10.0.1.20 is refused by two databases; logged by eni-1, which is 10.0.1.20's."""
    flows = [rejected("10.0.1.20:50000", f"10.0.2.{n}:5432", flow_direction="egress") for n in (30, 31)]
    (finding,) = triaged(flows)
    assert finding.detector == "blocked-connection"
    return finding


def is_muted(finding: Finding, hosts: Hosts = UNKNOWN, now: int = NOW, **members: str) -> bool:
    """Whether a mute with these members mutes the finding."""
    stated = {"until": "never", "reason": "known"} | members
    (after,) = muted([finding], [Mute(**stated)], hosts, now)
    assert after.muted == ("" if after.severity.pages else "known")
    return not after.severity.pages


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_mute_that_a_page_suggests_is_valid_and_mutes_its_finding(name: str) -> None:
    """Pasted into the policy as it is, it mutes this finding for a week, and no longer."""
    finding = EXAMPLES[name]()
    text = json.dumps({"mutes": [suggested(finding, WEB, NOW)]})
    check({"Policy": text})
    mutes = Policy.from_json(text).mutes
    (after,) = muted([finding], mutes, WEB, NOW)
    assert not after.severity.pages
    (later,) = muted([finding], mutes, WEB, NOW + 9 * 86_400)
    assert later == finding


@pytest.mark.matrix(8)
@pytest.mark.parametrize("name", EXAMPLES)
def test_the_suggested_mute_leaves_other_findings_alone(name: str) -> None:
    """Those about another subject, and those of other detectors."""
    finding = EXAMPLES[name]()
    mutes = [Mute(**suggested(finding, WEB, NOW))]
    another = replace(finding, subject="10.9.9.9")
    others = [make() for kind, make in EXAMPLES.items() if kind != name]
    assert muted([another, *others], mutes, WEB, NOW) == [another, *others]


def test_a_subject_is_itself_or_in_the_network() -> None:
    """Not another address, and not a part of one."""
    assert is_muted(blocked(), subject="10.0.1.20")
    assert is_muted(blocked(), subject="10.0.1.0/24")
    assert not is_muted(blocked(), subject="10.0.1.2")
    assert not is_muted(blocked(), subject="10.0.2.0/24")


def test_all_other_ends_must_be_in_the_network_of_the_mute() -> None:
    """A mute for one peer does not hide that another is refused too."""
    assert peers_of(blocked()) == ["10.0.2.30", "10.0.2.31"]
    assert is_muted(blocked(), peer="10.0.2.30/31")
    assert is_muted(blocked(), peer="own")
    assert not is_muted(blocked(), peer="10.0.2.30")
    assert not is_muted(blocked(), peer="internet")


def test_the_service_must_be_the_only_one() -> None:
    """A mute for one port does not hide a scan of many."""
    assert is_muted(blocked(), service="tcp/5432")
    assert not is_muted(blocked(), service="udp/5432")
    probes = [rejected("10.0.1.66:50000", f"10.0.2.30:{port}") for port in range(20, 30)]
    (prober,) = triaged(probes)
    assert not is_muted(prober, service="tcp/22")


def test_role_and_vpc_are_those_of_the_subject() -> None:
    """If they are not known, a mute that names them does not match."""
    assert is_muted(blocked(), WEB, role="tag:Role=web", vpc="vpc-1")
    assert not is_muted(blocked(), WEB, role="tag:Role=db")
    assert not is_muted(blocked(), WEB, vpc="vpc-2")
    assert not is_muted(blocked(), UNKNOWN, role="tag:Role=web")


def test_all_members_must_match() -> None:
    """One that does not match is enough."""
    assert is_muted(blocked(), detector="blocked-connection", subject="10.0.1.20", service="tcp/5432")
    assert not is_muted(blocked(), detector="scan", subject="10.0.1.20", service="tcp/5432")


def test_a_finding_without_flows_matches_by_detector_and_subject_only() -> None:
    """A mute with a service or a peer is about traffic."""
    silent = EXAMPLES["interface-silent"]()
    assert is_muted(silent, detector="interface-silent", subject=silent.subject)
    assert not is_muted(silent, subject=silent.subject, peer="own")


def muting(**members: str) -> Account:
    """A service with one mute in its policy."""
    return Account(policy=Policy(mutes=(Mute(**members),)))


def test_a_muted_finding_is_counted_and_reported_but_not_sent() -> None:
    """What the mute does not match is sent."""
    account = muting(subject="10.0.1.20", until="never", reason="known")
    result = account.process(batch(BLOCKED, line("10.0.1.21", 6379)))
    assert [each.document["subject"] for each in account.sink.sent] == ["10.0.1.21"]
    assert (result.findings, result.muted, result.notifications) == (2, 1, 1)
    (reported,) = result.reported
    assert (reported.subject, reported.muted) == ("10.0.1.20", "known")


def test_when_a_mute_ends_findings_are_sent_again_and_operations_is_notified_once() -> None:
    """By whichever containers process the batches; without the mute there is nothing to report."""
    account = muting(subject="10.0.1.20", until="2025-11-24T15:00:00Z", reason="known")
    for number in range(3):
        account.process(batch(BLOCKED, name=f"batch-{number}"), now=NOW + number * 86_000)
    assert [each.attributes["kind"] for each in account.operations.sent] == ["mute-expired"]
    assert account.sink.sent
    plain = Account()
    plain.process(batch(BLOCKED))
    assert plain.operations.sent == []
