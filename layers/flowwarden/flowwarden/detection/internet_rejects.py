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

from flowwarden.detection.cause import likely_cause
from flowwarden.detection.columns import representative_of, tally_of
from flowwarden.detection.findings import Finding, Severity
from flowwarden.detection.selection import plural
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import Directions
from flowwarden.records.tokens import Integers

NAME = "internet-rejects"


def inspect(directions: Directions, rows: Integers) -> list[Finding]:
    """One finding for each own host that internet hosts were refused at; the rows are the batch's `noise`."""
    servers = directions.server[rows]
    hosts = dict.fromkeys(servers.tolist())
    return [_report(directions, host, rows[servers == host]) for host in hosts]


def _report(directions: Directions, server: int, rows: Integers) -> Finding:
    host, tally = directions.traffic.flows.texts[server], tally_of(directions, rows)
    example = representative_of(directions, rows)
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
