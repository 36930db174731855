"""A finding as a notification: what a person woken at 3 a.m. needs, and the same for machines."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from flowwarden.monitor.findings import Tally, TrafficFinding
from flowwarden.network.services import describe_service
from flowwarden.notify.claims import Claim
from flowwarden.notify.notification import Notification, one_line
from flowwarden.notify.text import plural

DOCUMENT_VERSION = "1"
"""Raised when a member of the JSON document changes its meaning or goes away."""

TOP = 10
"""How many addresses or services a notification lists; the rest is counted."""

QUERY_MARGIN = 600
"""Seconds around the finding that the log query should cover: records of the same window come late."""


class Occasion(Struct, frozen=True, kw_only=True):
    """Where and when findings are told: what they do not know themselves."""

    account_id: str
    region: str
    log_group: str
    log_stream: str
    quiet_minutes: int


def render(finding: TrafficFinding, key: str, claim: Claim, occasion: Occasion) -> Notification:
    """The notification about a finding; `key` identifies its incident."""
    return Notification(
        subject=one_line(
            f"[{finding.severity.upper()}] {finding.summary.removesuffix('.')} ({occasion.region})"
        ),
        text=_text(finding, key, claim, occasion),
        document=_document(finding, key, claim, occasion),
        attributes=_attributes(finding, occasion),
    )


def _attributes(finding: TrafficFinding, occasion: Occasion) -> dict[str, str]:
    """What subscribers filter by; SNS refuses empty values, so an unknown VPC is left out."""
    attributes = {
        "kind": "incident",
        "severity": finding.severity.value,
        "detector": finding.detector,
        "account": occasion.account_id,
        "region": occasion.region,
        "vpc": finding.example.flow.vpc_id or "",
    }
    return {name: value for name, value in attributes.items() if value}


def log_query(finding: TrafficFinding) -> str:
    """A CloudWatch Logs Insights query that finds the lines behind a finding, in any log format."""
    filters = " and ".join(
        f"@message like /(^|\\s){re.escape(term)}(\\s|$)/" for term in dict.fromkeys(finding.query_terms)
    )
    return f"fields @timestamp, @logStream, @message\n| filter {filters}\n| sort @timestamp desc\n| limit 200"


def _text(finding: TrafficFinding, key: str, claim: Claim, occasion: Occasion) -> str:
    rows = [
        ("Who", _who(finding)),
        ("Where", _where(finding, occasion)),
        ("Since", _since(finding.tally)),
        ("How much", _how_much(finding.tally)),
        ("To", _listed(finding.tally.servers)),
        ("For", _listed([(describe_service(*s), n) for s, n in finding.tally.services])),
        ("Why", finding.because),
        ("Likely", finding.likely),
    ]
    steps = "\n".join(f"  {number}. {step}" for number, step in enumerate(finding.advice, start=1))
    return (
        f"{finding.summary}\n\n"
        + "\n".join(f"{name:<9} {value}" for name, value in rows)
        + f"\n\nWhat to do\n{steps}\n\n"
        + f"CloudWatch Logs Insights, log group {occasion.log_group}{_query_range(finding.tally)}\n"
        + f"{log_query(finding)}\n\n"
        + f"{repeats(claim, occasion)}\nIncident {key}, severity {finding.severity}, "
        + f"detector {finding.detector}{f', ATT&CK {finding.technique}' if finding.technique else ''}\n"
    )


def _who(finding: TrafficFinding) -> str:
    clients = _listed(finding.tally.clients)
    return f"{clients} ({finding.example.client_class})"


def _where(finding: TrafficFinding, occasion: Occasion) -> str:
    flow = finding.example.flow
    seen = finding.example.side or "side unknown"
    places = (flow.vpc_id, flow.subnet_id, flow.instance_id)
    known = [place for place in (occasion.account_id, occasion.region, *places) if place]
    interface = flow.interface_id or occasion.log_stream
    return f"{', '.join(known)}, seen by {interface} ({seen})"


def _since(tally: Tally) -> str:
    if tally.first is None:
        return "not told by the log format"
    last = tally.first if tally.last is None else max(tally.first, tally.last)
    return f"{moment(tally.first)} ({last - tally.first} s of traffic in this batch)"


def _how_much(tally: Tally) -> str:
    return ", ".join(
        (
            plural(tally.connections, "connection"),
            plural(tally.packets, "packet"),
            plural(tally.bytes, "byte"),
            plural(tally.records, "record"),
        )
    )


def _listed(ranked: tuple[tuple[str, int], ...] | list[tuple[str, int]]) -> str:
    names = ", ".join(name for name, _ in ranked[:TOP])
    return names if len(ranked) <= TOP else f"{names} and {len(ranked) - TOP} more"


def _query_range(tally: Tally) -> str:
    if tally.first is None:
        return ""
    last = tally.first if tally.last is None else max(tally.first, tally.last)
    return f", {moment(tally.first - QUERY_MARGIN)} to {moment(last + QUERY_MARGIN)}"


def repeats(claim: Claim, occasion: Occasion) -> str:
    """What was told before, and how long repeats stay quiet."""
    ahead = f"Repeats stay quiet for {plural(occasion.quiet_minutes, 'minute')}."
    if claim.last_sent is None:
        return ahead
    before = f"Told before at {moment(claim.last_sent)}; {plural(claim.held_back, 'repeat')} held back since."
    return f"{before} {ahead}"


def _document(finding: TrafficFinding, key: str, claim: Claim, occasion: Occasion) -> dict[str, Any]:
    flow, tally = finding.example.flow, finding.tally
    return {
        "version": DOCUMENT_VERSION,
        "kind": "incident",
        "incident": key,
        "detector": finding.detector,
        "severity": finding.severity.value,
        "summary": finding.summary,
        "subject": finding.subject,
        "peer_class": finding.peer_class.value,
        "service": finding.service.label if finding.service else "",
        "aspect": finding.aspect,
        "because": finding.because,
        "likely": finding.likely,
        "advice": list(finding.advice),
        "technique": finding.technique,
        "initiator": {
            "confidence": finding.example.confidence,
            "evidence": finding.example.verdict.evidence.value,
        },
        "account": occasion.account_id,
        "region": occasion.region,
        "vpc": flow.vpc_id,
        "subnet": flow.subnet_id,
        "interface": flow.interface_id,
        "instance": flow.instance_id,
        "side": finding.example.side,
        "first": tally.first,
        "last": tally.last,
        "records": tally.records,
        "connections": tally.connections,
        "packets": tally.packets,
        "bytes": tally.bytes,
        "clients": _top(tally.clients),
        "servers": _top(tally.servers),
        "services": _top([(describe_service(*s), n) for s, n in tally.services]),
        "log_group": occasion.log_group,
        "log_stream": occasion.log_stream,
        "query": log_query(finding),
        "held_back": claim.held_back,
        "last_sent": claim.last_sent,
    }


def _top(ranked: tuple[tuple[str, int], ...] | list[tuple[str, int]]) -> dict[str, Any]:
    return {
        "distinct": len(ranked),
        "top": [{"name": name, "records": records} for name, records in ranked[:TOP]],
    }


def moment(seconds: int) -> str:
    """Unix seconds as `2026-11-24 02:58:01 UTC`; a number that is no time of ours stays a number."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, OSError, ValueError):
        return str(seconds)
