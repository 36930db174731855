"""`Text`, a finding in words, and phrases shared by several detectors. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from flowwarden.monitor.findings import Tally
from flowwarden.network.direction import DirectedFlow
from flowwarden.notify.text import plural

ISOLATE: Final = (
    "Otherwise, isolate {subject} (attach a security group without rules) and preserve its disk and memory."
)
"""A step for hosts that probe; follows a step that names the harmless case."""
EXEMPT: Final = "If the activity is expected, add the host to `exempt` in the policy."
"""A step for findings about new behavior."""
OPEN_PORTS: Final = "a port scan from {} by a scanner, an inventory tool, or an intruder"
"""The likely cause when a host probes; the placeholder is the host."""


class Text(Struct, frozen=True, kw_only=True):
    """A finding in words."""

    summary: str
    """One sentence: which host did what to which host."""
    because: str = ""
    """The evidence for the finding and the threshold that it passed."""
    likely: str = ""
    """The likely cause."""
    query_terms: tuple[str, ...] = ()
    """Tokens that all log lines behind the finding share, for a log query."""
    words: Mapping[str, str | None] = {}
    """Values of the runbook placeholders that only this detector defines. A step whose placeholder is None is
    omitted."""


def evidence(example: DirectedFlow) -> str:
    """The basis of the initiator and its confidence: `(the lower port, confidence 0.90)`."""
    return f"({example.verdict.evidence}, confidence {example.confidence:.2f})"


def started_by(client: str, example: DirectedFlow, what: str = "the connection") -> str:
    """States that the internal host initiated the connection, with evidence."""
    return f"{client} is an internal host and initiated {what} {evidence(example)}"


def new_for_role(client: str, example: DirectedFlow, role: str, limit: str) -> str:
    """States that the behavior is new for the role. `limit` is the threshold, with its noun."""
    return f"{started_by(client, example)}; new for its role ({role}); threshold: {limit}"


def main_server_and_others(tally: Tally) -> str:
    """The server with the most records and the number of others: `10.0.2.30 and 2 other hosts`."""
    server, others = tally.servers[0][0], len(tally.servers) - 1
    return f"{server} and {plural(others, 'other host')}" if others else server


def duration(minutes: int) -> str:
    """`4 h`, or minutes if it is not a whole number of hours: `90 min`."""
    return f"{minutes // 60} h" if minutes and minutes % 60 == 0 else f"{minutes} min"
