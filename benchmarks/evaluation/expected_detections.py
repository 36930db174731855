"""Which detectors may find which kind of incident, and when a page is about an incident."""

from __future__ import annotations

import re
from typing import Final

from benchmarks.evaluation.generator.model import Incident
from benchmarks.evaluation.subject import Page
from flowwarden.monitor.detectors import BY_NAME, DETECTORS
from flowwarden.notify.alert import Route

GRACE: Final = 2 * 3600
"""Seconds after an incident's end in which a page may still arrive: records come minutes late, or an hour."""

_SCANS: Final = (
    *("fast-vertical-scan", "horizontal-scan", "block-scan", "slow-scan", "very-slow-scan"),
    "lateral-movement",
)
"""What the rules of peers may find: all of them count places that a host asks."""


ACCEPTABLE: Final = {
    kind: frozenset(each.name for each in DETECTORS if kind in each.finds)
    for detector in DETECTORS
    for kind in detector.finds
}
"""Names of detectors by kind of incident: what each detector says that it finds."""

NEVER_PAGED: Final = frozenset(each.name for each in DETECTORS if each.route is Route.LOG and each.finds)
"""Detectors whose findings are only ever reported, and are judged by that. A finding of any other detector
that does not page is none: that it will page in two hours is no credit for now."""

DONE_TO: Final = frozenset(
    {
        *("public-into-private", "scan-hit", "security-group-fault", "nacl-fault"),
        *("reject-spike", "records-lost", "interface-silent", "unreadable-lines"),
    }
)
"""Incidents that happen to an interface. A page about them may be about those who suffer, if it names the
interface; one about somebody's deed has to be about him."""

_HOST: Final = re.compile(r"eni-.*|[0-9a-f.:]*[.:][0-9a-f.:]*")
"""An interface or an address; all other subjects are roles."""


def about(page: Page, incident: Incident) -> bool:
    """Whether the page names who did it, or to whom, while it went on or soon after."""
    if not incident.begin <= page.arrived <= incident.end + GRACE:
        return False
    culprits = incident.source, incident.interface_id
    if page.subject in culprits:
        return True
    if incident.kind in DONE_TO or not _HOST.fullmatch(page.subject):
        return not page.names.isdisjoint((*culprits, *incident.targets[:1]))
    # What was done to one host may be told about that one.
    return incident.targets == (page.subject,)


def finds(page: Page, incident: Incident) -> bool:
    """Whether the page is about the incident, and by a detector that may find it."""
    return may_find(page.detector, incident.kind) and about(page, incident)


def may_find(detector: str, kind: str) -> bool:
    """Whether a detector, or a rule of a peer, is there for a kind of incident."""
    return detector in ACCEPTABLE[kind] or (kind in _SCANS and detector not in BY_NAME)
