"""The page: a finding about flows, as text for on-call and as a JSON document."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from flowwarden.monitor.findings import Tally, TrafficFinding
from flowwarden.monitor.render.message import Message
from flowwarden.monitor.render.parts import DOCUMENT_VERSION, RenderContext, moment, repeats
from flowwarden.network.addresses import PeerClass
from flowwarden.network.services import describe_service
from flowwarden.notify.claims import Claim
from flowwarden.notify.notification import Composed, Notification
from flowwarden.notify.text import counted, plural

TOP = 10
"""The number of addresses or services that a notification lists; the rest is counted."""

QUERY_MARGIN = 600
"""Seconds before and after the finding that the log query covers: records of one window can arrive late."""


type Page = Message[TrafficFinding]


def render(finding: TrafficFinding, key: str, claim: Claim, context: RenderContext) -> Notification:
    """The notification about a finding; `key` identifies its incident."""
    page = Message.about(finding, key, claim, context)
    # SNS rejects empty values, so an unknown VPC is omitted.
    vpc = {"vpc": finding.example.flow.vpc_id} if finding.example.flow.vpc_id else {}
    return Notification(
        subject=page.subject,
        text=_text(page),
        document=_document(page),
        attributes=page.attributes("incident") | vpc,
    )


def log_query(terms: Sequence[str]) -> Composed:
    """A CloudWatch Logs Insights query for the lines that contain all terms, in any log format."""
    filters = " and ".join(f"@message like /(^|\\s){_escaped(term)}(\\s|$)/" for term in dict.fromkeys(terms))
    return Composed.of(
        (
            "fields @timestamp, @logStream, @message",
            f"| filter {filters}",
            "| sort @timestamp desc",
            "| limit 200",
        ),
        end="",
    )


def _escaped(term: str) -> str:
    """A term as a literal part of a regular expression between slashes."""
    return re.escape(term).replace("/", "\\/")


def _text(page: Page) -> Composed:
    finding, context = page.finding, page.context
    rows = (
        ("Source", _source(finding)),
        ("Where", _where(finding, context)),
        ("Since", _since(finding.tally)),
        ("Traffic", _traffic(finding.tally)),
        ("Target", _listed(finding.tally.servers)),
        ("Service", _listed([(describe_service(*s), n) for s, n in finding.tally.services])),
        ("Evidence", page.text.because),
        ("Likely cause", page.text.likely),
    )
    query = log_query(page.text.query_terms).split("\n")
    return Composed.of(
        (page.text.summary,),
        (f"{name:<12} {value}" for name, value in rows),
        page.what_to_do,
        (f"CloudWatch Logs Insights, log group {context.log_group}{_query_range(finding.tally)}", *query),
        (repeats(page.claim, context), page.identity),
    )


def _source(finding: TrafficFinding) -> str:
    clients = _listed(finding.tally.clients)
    peer_class = finding.example.client_class
    return f"{clients} ({'internal' if peer_class is PeerClass.OWN else peer_class})"


def _where(finding: TrafficFinding, context: RenderContext) -> str:
    flow = finding.example.flow
    seen = finding.example.side or "side unknown"
    places = (flow.vpc_id, flow.subnet_id, flow.instance_id)
    known = [place for place in (context.account_id, context.region, *places) if place]
    interface = flow.interface_id or context.log_stream
    return f"{', '.join(known)}, logged by {interface} ({seen})"


def _since(tally: Tally) -> str:
    if tally.first is None:
        return "unknown: the records contain no start time"
    if tally.last is None:
        return f"{moment(tally.first)} (how long is unknown: the records contain no end time)"
    return f"{moment(tally.first)} ({max(0, tally.last - tally.first)} s of traffic in this batch)"


def _traffic(tally: Tally) -> str:
    return ", ".join(
        (
            counted(tally.connections, "connection"),
            counted(tally.packets, "packet"),
            counted(tally.bytes, "byte"),
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


def _document(page: Page) -> dict[str, Any]:
    return {
        "version": DOCUMENT_VERSION,
        "kind": "incident",
        "incident": page.key,
        **_statement(page),
        **_place(page.finding, page.context),
        **_amount(page.finding.tally),
        "log_group": page.context.log_group,
        "log_stream": page.context.log_stream,
        "query": log_query(page.text.query_terms),
        "suppressed_batches": page.claim.suppressed_batches,
        "last_sent": page.claim.last_sent,
    }


def _statement(page: Page) -> dict[str, Any]:
    finding, text = page.finding, page.text
    return {
        "detector": finding.detector,
        "severity": finding.severity.value,
        "summary": text.summary,
        "subject": finding.subject,
        "peer_class": finding.peer_class.value,
        "service": finding.service.label if finding.service else "",
        "aspect": finding.aspect,
        "because": text.because,
        "likely": text.likely,
        "advice": list(page.steps),
        "technique": page.technique,
        "initiator": {
            "confidence": finding.example.confidence,
            "evidence": finding.example.verdict.evidence.value,
        },
    }


def _place(finding: TrafficFinding, context: RenderContext) -> dict[str, Any]:
    flow = finding.example.flow
    return {
        "account": context.account_id,
        "region": context.region,
        "vpc": flow.vpc_id,
        "subnet": flow.subnet_id,
        "interface": flow.interface_id,
        "instance": flow.instance_id,
        "side": finding.example.side,
    }


def _amount(tally: Tally) -> dict[str, Any]:
    return {
        "first": tally.first,
        "last": tally.last,
        "records": tally.records,
        "connections": tally.connections,
        "packets": tally.packets,
        "bytes": tally.bytes,
        "clients": _top(tally.clients),
        "servers": _top(tally.servers),
        "services": _top([(describe_service(*s), n) for s, n in tally.services]),
    }


def _top(ranked: tuple[tuple[str, int], ...] | list[tuple[str, int]]) -> dict[str, Any]:
    return {
        "distinct": len(ranked),
        "top": [{"name": name, "records": records} for name, records in ranked[:TOP]],
    }
