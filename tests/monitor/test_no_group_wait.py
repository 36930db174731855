"""Why pages need not wait for each other: one cause is one incident, whichever batch comes first.

Every interface has its own batches, and each comes to a container of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest

from flowwarden.monitor.baseline.additions import learned
from flowwarden.monitor.baseline.baseline import Edge
from flowwarden.network.addresses import PeerClass
from flowwarden.notify.claims import digest
from flowwarden.notify.notification import Notification
from flowwarden.records.model import Flow
from flowwarden.state.sets import DAY
from tests.faults import Faults
from tests.flows import flow, rejected
from tests.monitor.scenarios import Account
from tests.monitor.test_one_cause import account, deliver, pages
from tests.monitor.tightened import APPS, CACHE, DATABASES, NOW, refused, usual

USED = ((6, 443), (6, 8443), (17, 53), (17, 123))
"""Services of the internet that the applications use every day."""
ORDERS = range(4)


def processed(batches: Sequence[list[Flow]], given: Account | None = None) -> list[Notification]:
    """What was sent to on-call about these batches."""
    here = given or account()
    for at, flows in enumerate(batches):
        deliver(here.container(Faults()), flows, NOW + at)
    return pages(here)


def shuffled(batches: Sequence[list[Flow]], seed: int) -> list[list[Flow]]:
    """The batches in another order, the same one for each seed."""
    return sorted(batches, key=lambda flows: digest(str(seed), str(flows)))


def seen_at(interface: str, side: str, subnet: str = "subnet-1") -> dict[str, Any]:
    """Where and when a flow was logged."""
    where = {"interface_id": f"eni-{interface}", "vpc_id": "vpc-1", "subnet_id": subnet}
    return where | {"flow_direction": side, "start": NOW - 90, "end": NOW - 40}


@pytest.mark.parametrize("order", list(permutations(range(2))))
def test_both_ends_of_a_refused_connection_are_one_page(order: Sequence[int]) -> None:
    """The client's interface accepts each attempt, the server's rejects it: only that is a finding."""
    client, server = APPS[0], DATABASES[0]
    tries = [
        flow(f"{client}:{50_000 + each}", f"{server}:5432", tcp_flags=2, **seen_at(client, "egress"))
        for each in range(4)
    ]
    ends = [tries, refused(client, server)]
    (page,) = processed([ends[at] for at in order])
    assert page.document["subject"] == client
    assert server in page.document["summary"]


@pytest.mark.parametrize("seed", ORDERS)
def test_one_cause_at_many_hosts_is_one_page(seed: int) -> None:
    """The rules of four databases no longer admit eight applications: 32 batches."""
    batches = [refused(client, server) for client in APPS for server in DATABASES]
    (page,) = processed(shuffled(batches, seed))
    assert "the inbound rules of tag:Role=db refuse PostgreSQL" in page.text


def behind(client: str, services: tuple[tuple[int, int], ...]) -> list[Flow]:
    """What a host logs whose NAT gateway is gone: requests, and no answer."""
    ends = seen_at(client, "egress")
    return [
        flow(f"{client}:{40_000 + at}", f"203.{at % 50}.113.9:{port}", protocol=protocol, **ends)
        for at, (protocol, port) in enumerate(services * 25)
    ]


@pytest.mark.parametrize("seed", ORDERS)
def test_a_dead_nat_gateway_pages_nothing_about_usual_connections(seed: int) -> None:
    """That they fail is an outage, which is not a finding."""
    edges = frozenset(Edge("out", *service, PeerClass.INTERNET) for service in USED)
    evidence = usual()
    for ago in range(1, 20):
        evidence.add(learned("tag:Role=app", NOW // DAY - ago, edges))
    batches = [behind(client, USED) for client in APPS for _ in range(3)]
    assert processed(shuffled(batches, seed), Account(evidence=evidence, directory=account().directory)) == []


@pytest.mark.parametrize("seed", ORDERS)
def test_a_dead_nat_gateway_is_one_page_about_a_new_service(seed: int) -> None:
    """All hosts of the role try it in vain, which looks like a scan."""
    batches = [behind(client, ((6, 443),)) for client in APPS for _ in range(3)]
    (page,) = processed(shuffled(batches, seed))
    assert "hosts of tag:Role=app try only tcp/443" in page.text


def denied(server: str, port: int) -> list[Flow]:
    """A network ACL that allows requests to a server, and denies its replies."""
    flows = []
    for at, client in enumerate(APPS * 2):
        ends = f"{client}:{50_000 + at}", f"{server}:{port}"
        flows += [
            flow(*ends, tcp_flags=2, **seen_at(server, "ingress", "subnet-db")),
            rejected(*reversed(ends), tcp_flags=18, **seen_at(server, "egress", "subnet-db")),
        ]
    return flows


@pytest.mark.parametrize("seed", ORDERS)
def test_a_whole_subnet_behind_a_network_acl_is_one_page(seed: int) -> None:
    """Hosts of several roles, whose replies it denies."""
    batches = [*(denied(each, 5432) for each in DATABASES), denied(CACHE, 6379)]
    (page,) = processed(shuffled(batches, seed))
    assert page.document["detector"] == "nacl-blocks-replies"
    assert page.document["same_cause"]["members"] == ["subnet-db"]


def test_requests_that_a_network_acl_denies_are_one_page_for_each_role_and_service() -> None:
    """Records do not show whether a security group or a network ACL denies a request."""
    batches = [refused(client, server) for client in APPS for server in DATABASES]
    batches += [refused(client, CACHE, 6379) for client in APPS]
    causes = {
        page.document["same_cause"]["cause"].split(" refuse")[0] for page in processed(shuffled(batches, 1))
    }
    assert causes == {"the inbound rules of tag:Role=db", "the inbound rules of tag:Role=cache"}
