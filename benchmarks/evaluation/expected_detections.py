"""The detectors expected for each kind of incident, and the matching of pages with incidents."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from benchmarks.evaluation.generator.model import DAY, Incident
from benchmarks.evaluation.subject import Page
from flowwarden.monitor.detectors import BY_NAME, DETECTORS
from flowwarden.notify.alert import Route

GRACE: Final = 2 * 3600
"""Seconds after an incident's end until which a page counts: records are minutes to an hour late."""

_SCANS: Final = (
    *("fast-vertical-scan", "horizontal-scan", "block-scan", "slow-scan", "very-slow-scan"),
    "lateral-movement",
)
"""The incidents that the rules of peers may find: all of them count the targets of a host."""


ACCEPTABLE: Final = {
    kind: frozenset(each.name for each in DETECTORS if kind in each.finds)
    for detector in DETECTORS
    for kind in detector.finds
}
"""Names of detectors by kind of incident, as declared by each detector."""

_UNPAGED: Final = frozenset({Route.LOG, Route.DIGEST})
NEVER_PAGED: Final = frozenset(each.name for each in DETECTORS if each.route in _UNPAGED and each.finds)
"""Detectors that never page, which are scored by their findings. For all other detectors a finding without a
page does not count, even if it pages two hours later."""

DONE_TO: Final = frozenset(
    {
        *("public-into-private", "exposed-administration", "scan-hit", "thin-scan-hit"),
        *("guessing-from-outside", "security-group-fault", "nacl-fault"),
        *("reject-spike", "records-lost", "interface-silent", "unreadable-lines"),
    }
)
"""Kinds of incident whose target is an interface. A page about them may be about an affected host if it names
the interface; a page about any other incident must be about its source."""

ACTED_BY_MANY: Final = frozenset({"debug-logging", "gossip-rollout", "recovery-test"})
OF_MANY: Final = ACTED_BY_MANY | {"tightened-group", "tightened-egress"}
"""Changes of many hosts at once. A page about any of the hosts is about the change."""

_HOST: Final = re.compile(r"eni-.*|[0-9a-f.:]*[.:][0-9a-f.:]*")
"""Prefixes of an interface or an address; all other subjects are roles."""


def about(page: Page, incident: Incident) -> bool:
    """Whether the page names the source or the target, during the incident or soon after."""
    if not incident.begin <= page.arrived <= incident.end + GRACE:
        return False
    culprits = incident.source, incident.interface_id
    if page.subject in culprits:
        return True
    if incident.kind in OF_MANY:
        # A page about a role names some of its hosts.
        named = {page.subject} if _HOST.fullmatch(page.subject) else page.names
        return not named.isdisjoint(incident.targets)
    if incident.kind in DONE_TO or not _HOST.fullmatch(page.subject):
        return not page.names.isdisjoint((*culprits, *incident.targets[:1]))
    # An incident with one target host may be reported about that host.
    return incident.targets == (page.subject,)


def finds(page: Page, incident: Incident) -> bool:
    """Whether the page is about the incident, and names an expected detector."""
    expected = any(may_find(each, incident.kind) for each in (page.detector, *page.also))
    return expected and about(page, incident)


def blames_another(page: Page, incidents: Iterable[Incident]) -> bool:
    """Whether a page has a wrong subject: it names hosts of an incident, but none explains its subject.

    An incident explains pages about a host that acted and about the affected interface, until a day after it,
    because some detectors count over a day. It also explains pages that find it, such as one about the role
    whose rules were changed. So a page that reports the victims of a rule as scanners, or the target of a
    scan, has a wrong subject.
    """
    recent = [each for each in incidents if each.begin <= page.arrived <= each.end + DAY + GRACE]
    if any(page.subject in _actors(each) or finds(page, each) for each in recent):
        return False
    under_way = [each for each in recent if page.arrived <= each.end + GRACE]
    others = page.names - {page.subject}  # a target of a scan may be in any other page
    return any(not others.isdisjoint((*_actors(each), *each.targets)) for each in under_way)


def _actors(incident: Incident) -> frozenset[str]:
    """Its source, the affected interface, and for a change by which many hosts act, all of these."""
    many = incident.targets if incident.kind in ACTED_BY_MANY else ()
    return frozenset({incident.source, incident.interface_id, *many})


def may_find(detector: str, kind: str) -> bool:
    """Whether a detector, or a rule of a peer, is expected to find a kind of incident.

    No detector declares the kinds of another traffic source, so any may find them.
    """
    if kind not in ACCEPTABLE:
        return True
    return detector in ACCEPTABLE[kind] or (kind in _SCANS and detector not in BY_NAME)
