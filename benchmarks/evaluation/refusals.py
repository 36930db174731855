"""Pages about hosts whose own outbound rules reject what they try, for ever."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import ceil
from typing import Final

from benchmarks.evaluation.generator.model import Interface
from benchmarks.evaluation.generator.roles import BARRED_ROLES
from benchmarks.evaluation.subject import Page

MONTH: Final = 30
"""Days."""

type Refused = tuple[str, str, str]
"""VPC, role and service."""


def refused(page: Page, interfaces: Mapping[str, Interface]) -> Refused | None:
    """Who is refused what, if a page is about a role, or a host of a role, that is refused for ever."""
    for each in interfaces.values():
        if each.role not in BARRED_ROLES:
            continue
        mine = {each.interface_id, each.private_ipv4}
        of_role = page.subject.endswith(f"={each.role}") and not mine.isdisjoint(page.names)
        if of_role or page.subject in mine:
            return each.vpc_id, each.role, page.service
    return None


def most_a_month(pages: Counter[Refused], days: int) -> float:
    """The most pages about a role and service in a month."""
    return max(pages.values(), default=0) / ceil(max(days, 1) / MONTH)
