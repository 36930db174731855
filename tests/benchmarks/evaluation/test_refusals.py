"""Roles that their own rules refuse permanently: their traffic, and the pages about them."""

from __future__ import annotations

from collections import Counter

from msgspec.structs import replace

from benchmarks.evaluation.generator.roles import EGRESS_REJECTED_ROLES
from benchmarks.evaluation.refusals import most_a_month, refused
from benchmarks.evaluation.subject import Page
from flowwarden.records.model import Action
from tests.benchmarks.evaluation.networks import made

PAGE = Page(
    at=1, arrived=2, detector="egress-denied", subject="", key="k", confidence=1.0, names=frozenset(),
    service="HTTPS (tcp/443)",
)  # fmt: skip


def test_their_attempts_are_rejected_at_their_own_interface_all_day() -> None:
    """To many addresses, and nothing that they try there is accepted."""
    result = made()
    hosts = {each.interface_id for each in result.interfaces.values() if each.role in EGRESS_REJECTED_ROLES}
    mine = [each for each in result.flows if each.interface_id in hosts and each.flow_direction == "egress"]
    outside = [
        each for each in mine if not (each.dstaddr or "").startswith("10.") and each.dstport in {123, 443}
    ]
    assert len(hosts) == 2
    assert len({each.dstaddr for each in outside}) > 10
    assert {each.action for each in outside} == {Action.REJECT}
    assert len({(each.start or 0) // 3600 for each in outside}) > 12


def test_a_page_about_the_role_or_a_host_of_it_is_about_refusals() -> None:
    """By VPC, role and service; a page about another role or host is not, whatever it names."""
    interfaces = made().interfaces
    host = next(each for each in interfaces.values() if each.role == "payment")
    other = next(each for each in interfaces.values() if each.role == "app")
    expected = host.vpc_id, "payment", PAGE.service
    names = frozenset({host.private_ipv4, other.private_ipv4})
    assert refused(replace(PAGE, subject="tag:Role=payment", names=names), interfaces) == expected
    assert refused(replace(PAGE, subject=host.private_ipv4), interfaces) == expected
    assert refused(replace(PAGE, subject="tag:Role=app", names=names), interfaces) is None
    assert refused(replace(PAGE, subject="tag:Role=payment"), interfaces) is None
    assert refused(replace(PAGE, subject=other.private_ipv4, names=names), interfaces) is None


def test_the_most_pages_about_a_role_and_service_count_per_month() -> None:
    """A month that began counts as one."""
    pages = Counter({("vpc-1", "payment", "a"): 2, ("vpc-2", "payment", "a"): 1})
    assert [most_a_month(pages, days) for days in (1, 30, 31, 60)] == [2, 2, 1, 1]
    assert most_a_month(Counter(), 21) == 0
