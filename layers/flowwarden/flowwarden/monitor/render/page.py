"""The page: a finding about flows, as text for on-call and as a JSON document."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from flowwarden.monitor.findings import TrafficFinding
from flowwarden.monitor.render import amount, blocked_by, links
from flowwarden.monitor.render.ends import TOP, End, from_end, listed, to_end
from flowwarden.monitor.render.message import Message
from flowwarden.monitor.render.named_host import NamedHost, with_name
from flowwarden.monitor.render.parts import DOCUMENT_VERSION, RenderContext, between, row, unnamed
from flowwarden.monitor.render.query import log_query
from flowwarden.monitor.traffic.hosts import Host, known_id
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
    query, covered = log_query(page.text.query_terms), between(amount.covered(finding))
    ends = (from_end(finding, context), to_end(finding, context))
    drafted = page.draft(
        "incident",
        [*_facts(page, *ends), *unnamed(context)],
        (
            page.what_to_do,
            (f"CloudWatch Logs Insights, log group {context.log_group}{covered}", *query.split("\n")),
        ),
        _document(page),
        vpc=context.hosts.vpc_of(finding.example) or None,
    )
    return replace(drafted, links=tuple(links.links(finding, ends, query, context)))


def _facts(page: Page, client: End, server: End) -> list[str]:
    finding, context, text = page.finding, page.context, page.text
    return [
        *row("From", client.text, *client.details),
        *row("To", f"{server.text}{amount.beyond_batch(finding, text)}", *server.details),
        *row("Service", _service(finding)),
        *row("Where", _where(finding, context)),
        *row("Since", amount.since(finding)),
        *row("Traffic", amount.traffic(finding, text)),
        *row("Evidence", text.because),
        *row("Likely cause", text.likely),
        *(line for each in blocked_by.rows(context.explained, finding.tally.first) for line in row(*each)),
    ]


def _service(finding: TrafficFinding) -> str:
    """The service that the finding is about, or those of the batch."""
    return finding.service.label if finding.service else listed(amount.services(finding.tally), TOP)


def _where(finding: TrafficFinding, context: RenderContext) -> str:
    """Account, Region and VPC, and the interface that logged the example."""
    flow = finding.example.flow
    vpc = context.hosts.vpc_of(finding.example)
    named_vpc = with_name(vpc, _vpc_name(finding, context)) if vpc else None
    known = [place for place in (context.account, context.region, named_vpc) if place]
    interface = known_id(flow.interface_id) or context.log_stream
    resource = _passed(finding.example, context)
    return f"{', '.join(known)}, logged by {interface}{resource} ({_seen_from(finding.example)})"


def _vpc_name(finding: TrafficFinding, context: RenderContext) -> str:
    """The name of the VPC of the interface that logged the example; '' if it is not known."""
    found = context.hosts.logging(finding.example)
    return found.vpc_name if found else ""


def _passed(example: DirectedFlow, context: RenderContext) -> str:
    """`, NAT gateway nat-1`: what the interface that logged the example is, if it is at neither end."""
    found = context.hosts.logging(example)
    if found is None or _is_at_end(example):
        return ""
    label = NamedHost(Host(found=found), context.names, context.owner_tags).label
    return f", {label}" if label else ""


def _is_at_end(example: DirectedFlow) -> bool:
    return logged_by(example, example.client) or logged_by(example, example.server)


def _seen_from(example: DirectedFlow) -> str:
    """The side, and where that does not show whose ids a record contains, these ids."""
    side = example.side or "side unknown"
    if _is_at_end(example):
        return side
    flow = example.flow
    ids = [each for each in map(known_id, (flow.instance_id, flow.subnet_id)) if each]
    passing = [] if example.side is None else ["at neither end, traffic passes through it"]
    return ", ".join([side, *passing, *ids])


def _document(page: Page) -> dict[str, Any]:
    span, query = amount.covered(page.finding), log_query(page.text.query_terms)
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
        "query": query,
        "console": links.document(page.finding, query, page.context),
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
        "from": from_end(finding, context).document(context.console),
        "to": to_end(finding, context).document(context.console),
        "account": context.account_id,
        "account_alias": context.account_alias or None,
        "region": context.region,
        "vpc": context.hosts.vpc_of(finding.example) or None,
        "vpc_name": _vpc_name(finding, context) or None,
        "subnet": known_id(flow.subnet_id),
        "interface": known_id(flow.interface_id),
        "instance": known_id(flow.instance_id),
        "side": finding.example.side,
        "names_unavailable": context.names_unavailable or None,
    }
