"""What each detector measured about a record, by the code with which it decides: `MEASURES`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flowwarden.monitor.measures import hosts, internet, leaving, refusals
from flowwarden.monitor.measures.asked import Answer, Asked, Measure


def _never(why_not: str) -> Measure:
    """The answer of a detector that measures nothing about a record."""

    def answer(_asked: Asked) -> Answer:
        return Answer(why_not=why_not)

    return answer


_OF_LINES: Final = _never("it is about lines and interfaces, not about single flows")
_NO_ATTEMPT: Final = _never("it is no rejected attempt from the internet, or a late packet of a connection")


MEASURES: Final[Mapping[str, Measure]] = {
    "scan": hosts.SCAN,
    "lateral-movement": hosts.LATERAL_MOVEMENT,
    "brute-force": hosts.BRUTE_FORCE,
    "database-egress": leaving.database,
    "scanner-connected": internet.scanner,
    "blocked-connection": refusals.blocked,
    "host-probing": refusals.probing,
    "service-blocked": refusals.service,
    "egress-denied": refusals.egress_denied,
    "nacl-blocks-replies": refusals.replies,
    "egress-volume": internet.volume,
    "internet-to-private": internet.to_private,
    "internet-to-admin-port": internet.to_admin_port,
    "internet-brute-force": internet.brute_force,
    "unexpected-egress": leaving.unexpected,
    "new-egress-port": internet.new_port,
    "ping-sweep": internet.pings,
    "unparsed-lines": _OF_LINES,
    "unjudged-records": _OF_LINES,
    "records-skipped": _OF_LINES,
    "interface-silent": _OF_LINES,
    "reject-spike": internet.spike,
    "internet-rejects": _NO_ATTEMPT,
}
"""By the names of the detectors."""
