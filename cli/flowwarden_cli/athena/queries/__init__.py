"""The queries, one for each detector that can be expressed in SQL; `REASONS` lists the others."""

from __future__ import annotations

from typing import Final

from flowwarden.monitor.detectors import DETECTORS
from flowwarden_cli.athena.queries import contacting, entering, guessing, leaving, noise, refusals, telemetry
from flowwarden_cli.athena.query import Query, rendered
from flowwarden_cli.athena.scope import Scope
from flowwarden_cli.athena.sql import NotExpressible

_EVERY: Final = (
    *(contacting.SCAN, contacting.LATERAL_MOVEMENT, contacting.PING_SWEEP),
    *(guessing.BRUTE_FORCE, guessing.INTERNET_BRUTE_FORCE),
    *(entering.INTERNET_TO_PRIVATE, entering.INTERNET_TO_ADMIN_PORT, entering.SCANNER_CONNECTED),
    *(leaving.EGRESS_VOLUME, leaving.UNEXPECTED_EGRESS, leaving.NEW_EGRESS_PORT, leaving.DATABASE_EGRESS),
    *(refusals.BLOCKED_CONNECTION, refusals.HOST_PROBING, refusals.SERVICE_BLOCKED),
    *(refusals.EGRESS_DENIED, refusals.NACL_BLOCKS_REPLIES),
    *(telemetry.RECORDS_SKIPPED, telemetry.INTERFACE_SILENT),
    *(noise.REJECT_SPIKE, noise.INTERNET_REJECTS),
)
REASONS: Final = {
    "unparsed-lines": (
        "a table has no lines: where a value cannot be read, Athena returns NULL, and the text of the line "
        "is lost. `flowwarden read --malformed` prints these lines"
    ),
    "unjudged-records": (
        "it is about a log format without interface-id and action, which the columns of the table show "
        "without a query"
    ),
}
"""The detectors that cannot be expressed in SQL, and why."""
_BY_NAME: Final = {each.detector: each for each in _EVERY}
QUERIES: Final[dict[str, Query]] = {
    each.name: _BY_NAME[each.name] for each in DETECTORS if each.name in _BY_NAME
}
"""By the name of the detector, in the order of the documentation."""


def text_of(detector: str, scope: Scope) -> str:
    """The query that approximates a detector.

    Raises:
        NotExpressible: there is no such detector or query, or the scope does not suffice; the message says
            why.
    """
    if detector in QUERIES:
        return rendered(QUERIES[detector], scope)
    available = f"These can be expressed: {', '.join(QUERIES)}"
    if detector in REASONS:
        raise NotExpressible(f"{detector} cannot be expressed in SQL: {REASONS[detector]}. {available}")
    raise NotExpressible(f"there is no detector {detector!r}. {available}")
