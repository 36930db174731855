"""The page: a finding about flows, as text for on-call and as a JSON document."""

from __future__ import annotations

from typing import Any

from flowwarden.monitor.findings import TrafficFinding
from flowwarden.monitor.render import amount, blocked_by
from flowwarden.monitor.render.course import Course
from flowwarden.monitor.render.crowd import Crowd
from flowwarden.monitor.render.ends import TOP, from_end, listed, to_end
from flowwarden.monitor.render.message import Message
from flowwarden.monitor.render.parts import DOCUMENT_VERSION, RenderContext, between
from flowwarden.monitor.render.query import log_query
from flowwarden.monitor.traffic.hosts import known_id
from flowwarden.monitor.traffic.selection import logged_by
from flowwarden.network.direction import DirectedFlow
from flowwarden.notify.claims import Claim
from flowwarden.notify.notification import Composed, Notification

type Page = Message[TrafficFinding]


def render(
    finding: TrafficFinding,
    key: str,
    claim: Claim,
    context: RenderContext,
    crowd: Crowd | Course | None = None,
) -> Notification:
    """The notification about a finding; `key` identifies its incident, `crowd` its other findings."""
    page = Message.about(finding, key, claim, context, crowd)
    # SNS rejects empty values, so an unknown VPC is omitted.
    vpc = known_id(finding.example.flow.vpc_id)
    return Notification(
        subject=page.subject,
        text=_text(page),
        document=_document(page),
        attributes=page.attributes("incident") | ({"vpc": vpc} if vpc else {}),
    )


def _text(page: Page) -> Composed:
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
    query = log_query(text.query_terms).split("\n")
    covered = between(amount.covered(finding))
    return Composed.of(
        (text.summary,),
        (f"{name:<12} {value}" for name, value in rows),
        page.crowd.lines(page.claim) if page.crowd else (),
        page.what_to_do,
        (f"CloudWatch Logs Insights, log group {context.log_group}{covered}", *query),
        (page.repeats, page.identity),
        page.how_to_mute,
    )


def _others(page: Page, kind: type[Crowd | Course]) -> dict[str, Any] | None:
    """The other findings of the incident; None if it has no others of this kind."""
    return page.crowd.document(page.claim) if isinstance(page.crowd, kind) else None


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
        "event": page.claim.event.value,
        **_statement(page),
        **_place(page.finding, page.context),
        **amount.document(page.finding, page.text),
        "blocked_by": blocked_by.document(page.context.explained),
        "log_group": page.context.log_group,
        "log_stream": page.context.log_stream,
        "query": log_query(page.text.query_terms),
        "query_range": span and {"begin": span[0], "end": span[1]},
        **{each.member: _others(page, each) for each in (Crowd, Course)},
        "mutes": page.mute_lines,
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
