"""The incident of a batch's findings, as it is stored: when it was seen, and when it is over. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from flowwarden.monitor.detectors import BY_NAME
from flowwarden.monitor.findings import Finding, InterfaceFinding, SurplusFinding, TrafficFinding
from flowwarden.monitor.mutes import suggested_match
from flowwarden.monitor.render.message import attributes
from flowwarden.monitor.render.parts import RenderContext
from flowwarden.notify.incident import MOST_MUTES, Incident
from flowwarden.state.sets import DAY

MOST_INTERFACES: Final = 50
"""Interfaces of an incident that are stored. It is over when these have written again."""
SILENT: Final = "interface-silent"
"""The detector whose incidents are over when the interfaces write again."""


def incident_of(
    findings: Sequence[Finding], title: str, kind: str, context: RenderContext
) -> Incident | None:
    """The incident that these findings open or continue, the most urgent first.

    None if one of them only counts others: what it stands for is not known, so it cannot be over.

    Args:
        findings: the findings with one incident key; at least one.
        title: one sentence about them.
        kind: of their notification.
        context: where they were logged.
    """
    if any(isinstance(each, SurplusFinding) for each in findings):
        return None
    first = findings[0]
    return Incident(
        title=title,
        severity=first.severity.value,
        detectors=tuple(dict.fromkeys(each.detector for each in findings)),
        subject=first.subject,
        log_group=context.log_group,
        last_seen=_last_seen(findings, context),
        resolve_after=max(map(_resolve_after, findings)),
        interfaces=tuple(_silent(findings))[:MOST_INTERFACES],
        attributes=attributes(first, kind, context),
        mutes=tuple(suggested_match(each, context.hosts) for each in findings)[:MOST_MUTES],
    )


def _last_seen(findings: Iterable[Finding], context: RenderContext) -> int:
    """When the latest traffic behind the findings, or of the batch, ended; a future time counts as now."""
    ends = [each.tally.last for each in findings if isinstance(each, TrafficFinding)]
    known = [each for each in ends if each is not None]
    latest = max(known, default=context.batch_span[1] if context.batch_span else context.now)
    return min(latest, context.now)


def _resolve_after(finding: Finding) -> int:
    """Seconds of later records without the finding. A count over a day repeats for a day."""
    of_a_day = isinstance(finding, TrafficFinding) and finding.window and finding.window.span == DAY
    return DAY if of_a_day else BY_NAME[finding.detector].resolve_after


def _silent(findings: Iterable[Finding]) -> Iterable[str]:
    silent = (each for each in findings if isinstance(each, InterfaceFinding) and each.detector == SILENT)
    return dict.fromkeys(interface for each in silent for interface in each.interfaces)
