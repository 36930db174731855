"""`Text`, a finding in words, and the sentences that several detectors share. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from flowwarden.monitor.findings import Tally
from flowwarden.network.direction import DirectedFlow
from flowwarden.notify.text import plural

ISOLATE: Final = (
    "If nobody does: isolate {subject} (a security group without rules), keep its disk and memory."
)
"""A step for hosts that probe."""
EXEMPT: Final = "If it is wanted: name the host in the policy's `exempt`."
"""A step for what a detector found because it is new."""
OPEN_PORTS: Final = "something on {} looks for open ports: a scanner, an inventory tool, or an intruder"
"""The likely cause where a host probes; the gap is for the host."""


class Text(Struct, frozen=True, kw_only=True):
    """A finding in words."""

    summary: str
    """One sentence: who did what to whom."""
    because: str = ""
    """Why the detector thinks so: the evidence, and the threshold it passed."""
    likely: str = ""
    """The likely cause, in a person's words."""
    query_terms: tuple[str, ...] = ()
    """Tokens that the lines behind the finding have in common, for a log query."""
    words: Mapping[str, str | None] = {}
    """For placeholders of the runbook that are the detector's own. None where there is nothing to say: a step
    that names it is left out."""


def evidence(example: DirectedFlow) -> str:
    """What says who started the connection, and how sure that is: `(the lower port, confidence 0.90)`."""
    return f"({example.verdict.evidence}, confidence {example.confidence:.2f})"


def started_by(client: str, example: DirectedFlow, what: str = "it") -> str:
    """Why the own host is the one who asked."""
    return f"{client} is ours and started {what} {evidence(example)}"


def new_for_role(client: str, example: DirectedFlow, role: str, limit: str) -> str:
    """Why it counts that an own host asked: its role never did. `limit` is the threshold, with its noun."""
    return f"{started_by(client, example)}; its role ({role}) never did; {limit} are the threshold"


def main_server_and_others(tally: Tally) -> str:
    """The server with most records, the others counted: `10.0.2.30 and 2 other hosts`."""
    server, others = tally.servers[0][0], len(tally.servers) - 1
    return f"{server} and {plural(others, 'other host')}" if others else server
