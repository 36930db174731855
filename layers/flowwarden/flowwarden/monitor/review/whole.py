"""The whole list of what is learned, at any time, for `flowwarden baseline show`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import batched

from flowwarden.monitor.baseline.known_roles import KnownRole
from flowwarden.monitor.caches.state import ROLES_TOGETHER
from flowwarden.monitor.review.summary import RoleSummary, keys_of, summary_of
from flowwarden.monitor.review.text import Review
from flowwarden.state.ports import EvidenceStore


def whole(
    known: Sequence[KnownRole], evidence: EvidenceStore, day: int, only: Iterable[str] | None = None
) -> Review:
    """What is learned of roles.

    Args:
        known: the known roles.
        evidence: the state table.
        day: since 1970; the day itself is part of the list, because nothing is decided with it.
        only: names of roles; all of them if None.

    Raises:
        StateUnavailable: the table did not answer.
    """
    names = [each.role for each in known] if only is None else [*only]
    found: list[RoleSummary] = []
    for some in batched(names, ROLES_TOGETHER, strict=False):
        items = evidence.read([key for each in some for key in keys_of(each, day + 1)])
        found += [summary_of(each, day + 1, items) for each in some]
    return Review.of(found, known)
