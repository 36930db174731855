"""The page: a finding about flows, as text for on-call and as a JSON document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flowwarden.monitor.findings import TrafficFinding
from flowwarden.monitor.render import amount, blocked_by
from flowwarden.monitor.render.ends import TOP, from_end, listed, to_end
from flowwarden.monitor.render.message import Message
from flowwarden.monitor.render.parts import DOCUMENT_VERSION, RenderContext, between
from flowwarden.monitor.render.query import log_query
from flowwarden.monitor.traffic.hosts import known_id
from flowwarden.monitor.traffic.selection import logged_by
from flowwarden.network.direction import DirectedFlow
from flowwarden.notify.course import Course
from flowwarden.notify.crowd import Crowd
from flowwarden.notify.draft import Draft

type Page = Message[TrafficFinding]


def draft(
    finding: TrafficFinding, key: str, context: RenderContext, crowd: Crowd | Course | None = None
) -> Draft:
    """The notification about a finding; `key` identifies its incident, `crowd` its other findings."""
    page = Message.about(finding, key, context, crowd)
    query = log_query(page.text.query_terms).split("\n")
    covered = between(amount.covered(finding))
    return page.draft(
        "incident",
        _facts(page),
        (
            page.what_to_do,
            (f"CloudWatch Logs Insights, log group {context.log_group}{covered}", *query),
        ),
        _document(page),
        vpc=known_id(finding.example.flow.vpc_id),
    )


def _facts(page: Page) -> Iterator[str]:
    finding, context, text = page.finding, page.context, page.text
    rows = (
        ("From", from_end(finding, context.hosts).text),
        ("To", f"{to_end(finding, context.hosts).text}{amount.beyond_batch(finding, text)}"),
        ("Service", _service(finding)),
        ("Where", _where(finding, context)),
        ("Since", amount.since(finding)),
        ("Traffic", amount.traffic(finding, text)),
        ("Evidence", text.because),
        ("Likely cause", text.likely),
        *blocked_by.rows(context.explained, finding.tally.first),
    )
    return (f"{name:<12} {value}" for name, value in rows)


def _service(finding: TrafficFinding) -> str:
    """The service that the finding is about, or those of the batch."""
    return finding.service.label if finding.service else listed(amount.services(finding.tally), TOP)


def _where(finding: TrafficFinding, context: RenderContext) -> str:
    """Account, Region and VPC, and the interface that logged the example."""
    flow = finding.example.flow
    known = [place for place in (context.account_id, context.region, known_id(flow.vpc_id)) if place]
    interface = known_id(flow.interface_id) or context.log_stream
    return f"{', '.join(known)}, logged by {interface} ({_seen_from(finding.example)})"


def _seen_from(example: DirectedFlow) -> str:
    """The side, and where that does not show whose ids a record contains, these ids."""
    side = example.side or "side unknown"
    if logged_by(example, example.client) or logged_by(example, example.server):
        return side
    flow = example.flow
    ids = [each for each in map(known_id, (flow.instance_id, flow.subnet_id)) if each]
    passing = [] if example.side is None else ["at neither end, traffic passes through it"]
    return ", ".join([side, *passing, *ids])


def _document(page: Page) -> dict[str, Any]:
    span = amount.covered(page.finding)
    return {
        "version": DOCUMENT_VERSION,
        "kind": "incident",
        "incident": page.key,
        "event": None,
        **_statement(page),
        **_place(page.finding, page.context),
        **amount.document(page.finding, page.text),
        "blocked_by": blocked_by.document(page.context.explained),
        "log_group": page.context.log_group,
        "log_stream": page.context.log_stream,
        "query": log_query(page.text.query_terms),
        "query_range": span and {"begin": span[0], "end": span[1]},
        **dict.fromkeys(each.member for each in (Crowd, Course)),
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
        "runbook": page.runbook,
        "technique": page.technique,
        "initiator": {
            "confidence": finding.example.confidence,
            "evidence": finding.example.verdict.evidence.value,
        },
    }


def _place(finding: TrafficFinding, context: RenderContext) -> dict[str, Any]:
    """Both ends, and the interface that logged the example."""
    flow = finding.example.flow
    return {
        "from": from_end(finding, context.hosts).document,
        "to": to_end(finding, context.hosts).document,
        "account": context.account_id,
        "region": context.region,
        "vpc": known_id(flow.vpc_id),
        "subnet": known_id(flow.subnet_id),
        "interface": known_id(flow.interface_id),
        "instance": known_id(flow.instance_id),
        "side": finding.example.side,
    }
