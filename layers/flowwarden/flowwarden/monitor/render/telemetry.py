"""Missing records as a notification for the operations topic: skipped records, silent interfaces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from msgspec.structs import replace

from flowwarden.monitor.findings import InterfaceFinding
from flowwarden.monitor.render import links
from flowwarden.monitor.render.message import Message
from flowwarden.monitor.render.named_host import NamedHost
from flowwarden.monitor.render.parts import DOCUMENT_VERSION, NOT_INSPECTED, RenderContext, row, unnamed
from flowwarden.monitor.traffic.hosts import Host
from flowwarden.notify.draft import Draft
from flowwarden.notify.text import moment
from flowwarden.printable import one_line

LISTED: Final = 50
"""The number of interfaces that are listed; the others are counted."""
DESCRIBED: Final = 10
"""Those of them whose name, owner and place are shown."""


def draft(finding: InterfaceFinding, key: str, context: RenderContext) -> Draft:
    """The notification about missing records; `key` identifies its incident."""
    message = Message.about(finding, key, context)
    facts = (
        *row("Where", f"{context.account}, {context.region}, {context.log_group}"),
        *_interfaces(finding, context),
        *_window(finding),
        *row("Evidence", message.text.because),
        *unnamed(context),
    )
    drafted = message.draft(
        finding.detector, facts, (message.what_to_do,), _document(message), opening=(NOT_INSPECTED,)
    )
    return replace(drafted, links=tuple(links.of_interfaces(_hosts(finding, context), context)))


def _hosts(finding: InterfaceFinding, context: RenderContext) -> list[tuple[str, NamedHost]]:
    """The first interfaces that EC2 describes, each with its host."""
    hosts = [(name, _host(name, context)) for name in finding.interfaces[:DESCRIBED]]
    return [(name, host) for name, host in hosts if host.host.found]


def _window(finding: InterfaceFinding) -> list[str]:
    window = f"{_time(finding.first)} to {_time(finding.last)}"
    return row("Missing", f"{window} or later") if finding.interfaces else row("Records of", window)


def _time(seconds: int | None) -> str:
    return "unknown" if seconds is None else moment(seconds)


def _interfaces(finding: InterfaceFinding, context: RenderContext) -> list[str]:
    """The lines that list them, and describe the first of them; no line if the records name none."""
    if not finding.interfaces:
        return []
    rest = len(finding.interfaces) - LISTED
    listed = f"{', '.join(_listed(finding))}{f' and {rest} more' if rest > 0 else ''}"
    return row("Interfaces", listed, *(_about(name, host) for name, host in _hosts(finding, context)))


def _about(name: str, host: NamedHost) -> str:
    """`eni-1 web-1: Team=shop, role tag:Role=web; i-1, subnet-1 (app-a)`."""
    who, place = ", ".join(host.who), ", ".join(each for each in host.place if each != name)
    label = f"{one_line(name)} {host.label}".rstrip()
    return f"{label}: {'; '.join(filter(None, (who, place)))}"


def _host(name: str, context: RenderContext) -> NamedHost:
    """The host at an interface."""
    found = context.names.interfaces.get(name) if context.names else None
    return context.named_host(Host(interface=name) if found is None else context.hosts.behind(found))


def _listed(finding: InterfaceFinding) -> Sequence[str]:
    return [one_line(each) for each in finding.interfaces[:LISTED]]


def _document(message: Message[InterfaceFinding]) -> dict[str, Any]:
    finding, context = message.finding, message.context
    return {
        "version": DOCUMENT_VERSION,
        "kind": finding.detector,
        "incident": message.key,
        "event": None,
        "detector": finding.detector,
        "severity": finding.severity,
        "summary": message.text.summary,
        "subject": finding.subject,
        "because": message.text.because,
        "advice": list(message.steps),
        "runbook": message.runbook,
        "technique": message.technique,
        "account": context.account_id,
        "region": context.region,
        "log_group": context.log_group,
        "log_stream": context.log_stream,
        "account_alias": context.account_alias or None,
        "interfaces": {
            "distinct": len(finding.interfaces),
            "top": list(_listed(finding)),
            "hosts": [
                _host(each, context).document(context.console) for each in finding.interfaces[:DESCRIBED]
            ],
        },
        "names_unavailable": context.names_unavailable or None,
        "first": finding.first,
        "last": finding.last,
    }
