"""A scan is an incident of the host that scans; the hosts that are scanned page nothing."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from flowwarden.monitor.findings import TrafficFinding
from flowwarden.records.model import Flow
from tests.faults import Faults
from tests.flows import flow, rejected
from tests.monitor.fakes_interfaces import FakeDirectory
from tests.monitor.scenarios import Account
from tests.monitor.test_one_cause import deliver, pages
from tests.monitor.tightened import DATABASES, HOSTS, NOW, usual

ACTOR, OUTSIDE = "10.0.1.66", "203.0.113.66"
TARGETS = [*DATABASES, *(f"10.0.2.{host}" for host in range(100, 140))]


def probes(source: str, targets: Sequence[str], here: str, *, refused: bool) -> list[Flow]:
    """A SYN from a host to several ports of each target, logged at one interface."""
    side = "egress" if here == source else "ingress"
    where = {"interface_id": f"eni-{here}", "vpc_id": "vpc-1", "flow_direction": side}
    made = rejected if refused else flow
    return [
        made(
            f"{source}:{50_000 + at}", f"{target}:{port}", tcp_flags=2, start=NOW - 90, end=NOW - 40, **where
        )
        for at, target in enumerate(targets)
        for port in (22, 80, 443, 3306)
    ]


def processed(*batches: list[Flow]) -> tuple[Account, list[TrafficFinding]]:
    """The account, and the findings of the batches."""
    account = Account(evidence=usual(), directory=FakeDirectory.of(*HOSTS))
    found = [
        each
        for at, flows in enumerate(batches)
        for each in deliver(account.container(Faults()), flows, NOW + at).found
    ]
    return account, [each for each in found if isinstance(each, TrafficFinding)]


@pytest.mark.parametrize("refused", [False, True], ids=["dropped", "rejected"])
def test_the_host_that_scans_has_the_incident(*, refused: bool) -> None:
    """Of severity high or more. No finding about a target pages, from whichever interfaces the flows are."""
    at_targets = [probes(ACTOR, [each], each, refused=refused) for each in TARGETS]
    at_actor = probes(ACTOR, TARGETS, ACTOR, refused=False)
    for batches in ([at_actor, *at_targets], [*at_targets, at_actor]):
        account, found = processed(*batches)
        paged = {each.subject for each in found if each.severity.pages}
        assert paged == {ACTOR}
        assert {page.document["subject"] for page in pages(account)} == {ACTOR}
        assert {page.document["severity"] for page in pages(account)} & {"high", "critical"}


def test_hosts_that_the_internet_scans_page_nothing() -> None:
    """It is in the digests: rejected attempts cannot do harm."""
    account, found = processed(*[probes(OUTSIDE, [each], each, refused=True) for each in TARGETS])
    assert found
    assert not [each for each in found if each.severity.pages]
    assert pages(account) == []
