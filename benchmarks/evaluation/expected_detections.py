"""Which detectors may find which kind of incident, and when a page is about an incident."""

from __future__ import annotations

import re
from typing import Final

from benchmarks.evaluation.generator.model import Incident
from benchmarks.evaluation.subject import Page

GRACE: Final = 2 * 3600
"""Seconds after an incident's end in which a page may still arrive: records come minutes late, or an hour."""

_SCAN: Final = frozenset(
    {
        *("host-probing", "scan"),
        *("zeek-address-scan", "zeek-port-scan"),
        *("elastic-scan", "elastic-sweep", "elastic-inside", "panther-egress-ports"),
    }
)

ACCEPTABLE: Final = {
    "fast-vertical-scan": _SCAN,
    "horizontal-scan": _SCAN,
    "block-scan": _SCAN,
    "slow-scan": _SCAN,
    "very-slow-scan": _SCAN,
    "lateral-movement": _SCAN | {"lateral-movement"},
    "ssh-brute-force": frozenset({"brute-force", "lateral-movement"}),
    # A database that goes out is told as one: the graver finding silences the other.
    "listener-goes-out": frozenset({"unexpected-egress", "database-egress"}),
    "public-into-private": frozenset({"internet-to-private"}),
    "database-initiates": frozenset({"database-egress"}),
    "scan-hit": frozenset({"scanner-connected"}),
    "exfiltration": frozenset({"egress-volume"}),
    "egress-rejects": frozenset({"blocked-connection"}),
    "security-group-fault": frozenset({"service-blocked", "blocked-connection"}),
    "nacl-fault": frozenset({"nacl-blocks-replies"}),
    "reject-spike": frozenset({"reject-spike"}),
    "records-lost": frozenset({"records-skipped"}),
    "interface-silent": frozenset({"interface-silent"}),
    "unreadable-lines": frozenset({"unparsed-lines"}),
}
"""Names of detectors by kind of incident, those of peers included."""

NEVER_PAGED: Final = frozenset({"reject-spike"})
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
    return page.detector in ACCEPTABLE[incident.kind] and about(page, incident)
