"""Findings of one cause, in any batches of any interfaces, are one incident with one page."""

from __future__ import annotations

from itertools import count
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.monitor.pipeline import Invocation, MonitoringService
from flowwarden.monitor.report import BatchReport
from flowwarden.notify.notification import Notification
from flowwarden.records.model import Flow
from flowwarden.records.subscription import LogBatch
from flowwarden.state.sets import HOUR
from tests.examples import examples
from tests.faults import Faults
from tests.monitor.fakes_interfaces import FakeDirectory
from tests.monitor.scenarios import Account, line_of
from tests.monitor.tightened import APPS, CACHE, DATABASES, HOSTS, NOW, refused, usual

BATCHES = count()


def account(*, roles: bool = True) -> Account:
    """Applications, databases and a cache; without roles, EC2 describes no interface."""
    return Account(evidence=usual(), directory=FakeDirectory.of(*(HOSTS if roles else ())))


def deliver(service: MonitoringService, flows: list[Flow], now: int = NOW) -> BatchReport:
    """Process a batch of these flows."""
    name = f"batch-{next(BATCHES)}"
    lines = tuple(map(line_of, flows))
    batch = LogBatch("111122223333", "/flow-warden/flow-logs", f"{flows[0].interface_id}-all", lines, name)
    return service.process(batch, Invocation(f"attempt {name}", lambda: 300.0), now)


def pages(given: Account) -> list[Notification]:
    """What was sent to on-call."""
    return given.pages.sent


def test_a_tightened_group_is_one_page() -> None:
    """Each server logs its own clients, in batches of its own; the page names the rules and the victims."""
    here = account()
    reports = [
        deliver(here.container(Faults()), refused(client, server), NOW + at)
        for at, (client, server) in enumerate((c, s) for s in DATABASES for c in APPS[:3])
    ]
    (page,) = pages(here)
    assert "inbound rules of tag:Role=db refuse PostgreSQL (tcp/5432); victims: 10.0.1.20" in page.text
    incident = page.document["incident"]
    joined = [each for report in reports for each in report.delivery.suppressed if incident in each]
    assert len(joined) == 2 * len(DATABASES)
    assert "10.0.1.21 is blocked from PostgreSQL" in joined[0]


def test_a_service_that_many_are_blocked_from_is_the_same_incident() -> None:
    """Five clients of a server are one finding of another detector."""
    here = account()
    service = here.container(Faults())
    deliver(service, [each for client in APPS for each in refused(client, DATABASES[0])])
    deliver(service, refused(APPS[0], DATABASES[1]), NOW + 60)
    (page,) = pages(here)
    assert page.attributes["detector"] == "service-blocked"
    assert all(client in page.text for client in APPS)


def test_tightened_outbound_rules_are_one_page() -> None:
    """Several hosts of a role, and several services that they use."""
    here = account()
    service = here.container(Faults())
    for at, client in enumerate(APPS):
        flows = refused(client, DATABASES[0], here=client) + refused(client, CACHE, 6379, here=client)
        deliver(service, flows, NOW + at)
    (page,) = pages(here)
    victims = "10.0.1.20 (tcp/5432), 10.0.1.20 (tcp/6379)"
    assert f"the outbound rules of tag:Role=app refuse its hosts; victims: {victims}" in page.text
    assert page.document["same_cause"]["listed"] == [
        f"{APPS[0]} is blocked from Redis (tcp/6379) at {CACHE}."
    ]
    assert page.document["summary"].endswith(", and 1 more finding with this cause.")


@pytest.mark.parametrize(
    "other",
    [
        refused(APPS[1], CACHE, 6379),
        refused(APPS[1], DATABASES[0], here=APPS[1]),
    ],
    ids=["another group", "the other side"],
)
def test_another_rule_is_another_page(other: list[Flow]) -> None:
    """Refused at the same time."""
    here = account()
    service = here.container(Faults())
    deliver(service, refused(APPS[0], DATABASES[0]))
    deliver(service, other, NOW + 60)
    assert len(pages(here)) == 2


def test_hosts_without_a_role_are_incidents_of_their_own() -> None:
    """EC2 does not describe the interface."""
    here = account(roles=False)
    service = here.container(Faults())
    for client in APPS[:3]:
        deliver(service, refused(client, DATABASES[0]))
    assert len(pages(here)) == 3


def test_a_host_that_comes_an_hour_later_is_in_a_second_page_with_those_that_joined() -> None:
    """The second page lists them."""
    here = account()
    service = here.container(Faults())
    for at, client in ((0, APPS[0]), (600, APPS[1]), (HOUR, APPS[2])):
        deliver(service, refused(client, DATABASES[0], at=NOW + at), NOW + at)
    first, second = pages(here)
    assert first.document["incident"] == second.document["incident"]
    assert second.document["same_cause"]["members"] == [APPS[2], APPS[1]]
    assert f"victims: {APPS[2]}, {APPS[1]}\n" in second.text


@pytest.mark.parametrize(("first", "second"), [(5432, 6379), (6379, 5432)])
def test_a_later_page_is_about_what_is_new(first: int, second: int) -> None:
    """The batch also shows what an earlier page was about, which this page only lists."""
    here, client = account(), APPS[0]
    service = here.container(Faults())
    servers = {5432: DATABASES[0], 6379: CACHE}
    deliver(service, refused(client, servers[first], first, here=client))
    later = NOW + HOUR
    both = [
        flow for port in (5432, 6379) for flow in refused(client, servers[port], port, at=later, here=client)
    ]
    deliver(service, both, later)
    one, two = (page.document for page in pages(here))
    assert one["incident"] == two["incident"]
    assert f"tcp/{first}" in one["summary"]
    assert f"tcp/{second}" in two["summary"]
    (listed,) = two["same_cause"]["listed"]
    assert f"tcp/{first}" in listed


def test_without_the_table_each_finding_has_a_page() -> None:
    """A page too many is better than one too few."""
    here = account()
    here.claims.away = {"claim"}
    for client in APPS[:3]:
        deliver(here.container(Faults()), refused(client, DATABASES[0]))
    assert len(pages(here)) == 3


def test_a_page_that_is_not_sent_is_sent_by_the_next_host() -> None:
    """Its own batch fails; the retry finds that the incident has a page, and joins it."""
    here = account()
    service = here.container(Faults())
    here.pages.away = True
    assert deliver(service, refused(APPS[0], DATABASES[0])).delivery.unsent
    here.pages.away = False
    deliver(service, refused(APPS[1], DATABASES[0]), NOW + 60)
    again = deliver(service, refused(APPS[0], DATABASES[0]), NOW + 120)
    (page,) = pages(here)
    assert page.document["same_cause"]["members"] == [APPS[1]]
    assert [page.document["incident"] in each for each in again.delivery.suppressed] == [True]


@examples(0.5)
@given(st.integers(0, 10_000))
def test_the_order_of_batches_and_containers_does_not_matter(seed: int) -> None:
    """One page, in which each host is named or which it joined, whatever is delivered twice."""
    random, here = Random(seed), account()  # noqa: S311
    containers = [here.container(Faults()) for _ in range(3)]
    todo = [refused(client, server) for client in APPS[:4] for server in DATABASES[:2]]
    todo = random.sample(todo, len(todo)) + random.sample(todo, 3)
    for at, flows in enumerate(todo):
        deliver(random.choice(containers), flows, NOW + at)
    (page,) = pages(here)
    (item,) = (each for each in here.claims.items.values() if each.reported)
    assert {*page.document["same_cause"]["members"], *item.joined} == {*APPS[:4]}
