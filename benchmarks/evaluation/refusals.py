"""Pages about hosts whose own outbound rules permanently reject what they try."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import ceil
from typing import Final

from benchmarks.evaluation.generator.model import Interface
from benchmarks.evaluation.generator.roles import EGRESS_REJECTED_ROLES
from benchmarks.evaluation.subject import Page

MONTH: Final = 30
"""Days."""

type Refused = tuple[str, str, str]
"""VPC, role and service."""


def refused(page: Page, interfaces: Mapping[str, Interface]) -> Refused | None:
    """The VPC, role and service, if a page is about a role of `BARRED_ROLES` or one of its hosts."""
    for each in interfaces.values():
        if each.role not in EGRESS_REJECTED_ROLES:
            continue
        mine = {each.interface_id, each.private_ipv4}
        of_role = page.subject.endswith(f"={each.role}") and not mine.isdisjoint(page.names)
        if of_role or page.subject in mine:
            return each.vpc_id, each.role, page.service
    return None


def most_a_month(pages: Counter[Refused], days: int) -> float:
    """The maximum number of pages per month about a role and service.

    Args:
        pages: the pages by VPC, role and service.
        days: the days on which they were counted.
    """
    return max(pages.values(), default=0) / ceil(max(days, 1) / MONTH)
