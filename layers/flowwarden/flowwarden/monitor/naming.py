"""Finds the names that the notifications of a batch show."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flowwarden.monitor.alerts import urgency
from flowwarden.monitor.caches.names import NameCache
from flowwarden.monitor.findings import Finding
from flowwarden.monitor.names import Names, wanted
from flowwarden.monitor.view import BatchView


def names_of(
    findings: Sequence[Finding], view: BatchView, cache: NameCache | None, time_left: Callable[[], float]
) -> Names | None:
    """The names for the findings that are sent; None if none is, or there is nothing to ask.

    Args:
        findings: of the batch.
        view: the batch.
        cache: asks AWS; None as in evaluations.
        time_left: seconds until Lambda stops the function.
    """
    needed = wanted(sorted(findings, key=urgency), view.hosts) if cache else None
    if cache is None or needed is None:
        return None
    return cache.find(needed, view.interfaces, view.now, time_left)
