"""Tells of flow logs that record the same traffic again: the same ones once in a suppression window."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from flowwarden.compliance.duplicates import Duplicates, duplicates_of
from flowwarden.compliance.pending import Told
from flowwarden.errors import StateUnavailable
from flowwarden.ports import EnforcerMemory
from flowwarden.services.planning import Planned

SUBJECT: Final = "duplicates"


class Doubling:
    """Finds duplicates, and remembers that they were told."""

    def __init__(self, memory: EnforcerMemory, quiet_seconds: int) -> None:
        self._memory = memory
        self._quiet_seconds = quiet_seconds

    def news(self, planned: Sequence[Planned], now: int) -> Duplicates:
        """The duplicates in these VPCs, if just these were not told lately; `now` is Unix seconds.

        Costs a read where there are any. Without the state table nothing is told: they cost money, not sight.
        """
        found = duplicates_of((each.situation, each.plan.verdict) for each in planned)
        news = Duplicates(found=found, quiet_until=now + self._quiet_seconds)
        if not found:
            return news
        try:
            told = self._memory.told(SUBJECT)
        except StateUnavailable:
            return Duplicates()
        known = told is not None and told.what == news.fingerprint and told.quiet_until > now
        return Duplicates() if known else news

    def were_told(self, duplicates: Duplicates) -> None:
        """Begin the quiet time. If the table does not answer, the next sweep tells them once more."""
        if duplicates.found:
            told = Told(what=duplicates.fingerprint, quiet_until=duplicates.quiet_until)
            with suppress(StateUnavailable):
                self._memory.remember_told(SUBJECT, told)
