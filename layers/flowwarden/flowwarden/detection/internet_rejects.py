"""internet-rejects: what the internet tries and does not get. Counted and reported, never a page.

What: REJECTs of connections that internet hosts start towards the interface. Leftovers of expired connections
    (a REJECT without a SYN) were no attempts, and do not count.
Why: they are background radiation. EC2 sensors saw 27,100 packets per address and day (Cloud Telescope,
    2023), and the top 1 % of sources send 97 % of them; a threshold on the count pages all day.
False positives: does not apply; nothing is claimed beyond the count.
What to do: nothing. A source that is refused first and accepted later is another detector's business.
ATT&CK: T1595 Active Scanning.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flowwarden.detection.cause import is_leftover, likely_cause
from flowwarden.detection.findings import Finding, Severity, Tally, representative
from flowwarden.detection.selection import grouped, plural
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.initiator import Initiator
from flowwarden.policy import Policy
from flowwarden.records.model import Action

NAME = "internet-rejects"


def inspect(flows: Sequence[DirectedFlow], _policy: Policy) -> list[Finding]:
    """One finding for each own host that internet hosts were refused at."""
    return [_report(host, group) for host, group in grouped(refused(flows), lambda d: d.server).items()]


def refused(flows: Iterable[DirectedFlow]) -> list[DirectedFlow]:
    """What internet hosts were refused."""
    return [
        directed
        for directed in flows
        if directed.flow.action is Action.REJECT
        and directed.client_class in (PeerClass.INTERNET, PeerClass.AWS_SERVICE)
        # A REJECT whose initiator nothing tells (ICMP) counts for the end that it came from.
        and directed.verdict.initiator is not Initiator.DESTINATION
        and not is_leftover(directed)
    ]


def _report(host: str, group: list[DirectedFlow]) -> Finding:
    tally = Tally.of(group)
    example = representative(group)
    return Finding(
        detector=NAME,
        severity=Severity.INFO,
        subject=host,
        peer_class=PeerClass.INTERNET,
        summary=f"Refused at {host}: {plural(len(tally.clients), 'internet host')}.",
        because="the initiator is on the internet and the action is REJECT",
        likely=likely_cause(example, "internet hosts", host),
        advice=(),
        technique="T1595",
        query_terms=(host, "REJECT"),
        tally=tally,
        example=example,
    )
