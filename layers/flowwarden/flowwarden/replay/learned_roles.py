"""What a replay learned as usual for roles: the rows of the report on learning. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from flowwarden.monitor.baseline.known_roles import KnownRole, networks_of
from flowwarden.monitor.review.rows import date
from flowwarden.monitor.review.summary import RoleSummary
from flowwarden.monitor.review.text import Review
from flowwarden.monitor.review.whole import whole
from flowwarden.monitor.view import BatchView
from flowwarden.replay.observed import LearnedRole
from flowwarden.state.ports import EvidenceStore

MOST_ROLES: Final = 300
"""Roles that are listed."""
ROWS: Final = 40
"""Rows of a role."""
MOST_NETWORKS: Final = 8
"""Networks of a role that are collected, to name the roles of peers."""


class LearnedRoles:
    """Collects the roles of the archive.

    Of too many roles or networks, the first ones by name or number are left, not the first ones seen: a batch
    has no certain order.
    """

    def __init__(self) -> None:
        self._networks: defaultdict[str, set[int]] = defaultdict(set)
        self._last = 0
        """The last day (since 1970) with records."""

    def see(self, view: BatchView) -> None:
        """Add a batch."""
        for profile in view.profiles.values():
            if profile.interface is None:
                continue
            networks = _networks_of(profile.interface.addresses[:MOST_NETWORKS])
            known = self._networks.get(profile.role)
            if known is None or not networks <= known:  # nearly all hosts were seen in a batch before
                self._add(profile.role, networks)
            self._last = max(self._last, profile.day)

    def _add(self, role: str, new: frozenset[int]) -> None:
        networks = self._networks[role]
        networks |= new
        if len(networks) > MOST_NETWORKS:
            self._networks[role] = set(sorted(networks)[:MOST_NETWORKS])
        if len(self._networks) > MOST_ROLES:
            del self._networks[max(self._networks)]

    def roles(self, evidence: EvidenceStore) -> list[LearnedRole]:
        """What was learned of the roles, gravest first."""
        known = [
            KnownRole(role=role, known=self._last, networks=frozenset(networks))
            for role, networks in sorted(self._networks.items())
        ]
        review = whole(known, evidence, self._last)
        return [_role(review, each) for each in review.roles if each.days]


@lru_cache(maxsize=2**12)
def _networks_of(addresses: tuple[str, ...]) -> frozenset[int]:
    """The same as `networks_of`; each batch asks again for nearly all hosts."""
    return networks_of(addresses)


def _role(review: Review, role: RoleSummary) -> LearnedRole:
    rows = [*_rows(review, role)]
    return LearnedRole(
        role=role.role,
        first=date(role.first),
        days=role.days,
        learning=role.learning,
        rows=rows[:ROWS],
        left_out=max(0, len(rows) - ROWS),
    )


def _rows(review: Review, role: RoleSummary) -> Iterator[str]:
    for row in review.rows[role.role]:
        yield f"{row.section}: {row.text}"
