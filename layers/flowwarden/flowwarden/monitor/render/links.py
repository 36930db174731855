"""The links of a page to the AWS console, in its last paragraph because they are long. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

from flowwarden.monitor.findings import TrafficFinding
from flowwarden.monitor.render import amount
from flowwarden.monitor.render.ends import End
from flowwarden.monitor.render.named_host import NamedHost, with_name
from flowwarden.monitor.render.parts import RenderContext
from flowwarden.monitor.traffic.hosts import known_id

LINKED: Final = 2
"""Hosts at each end whose interface and instance have links on a page; the document links all hosts."""
MOST_GROUPS: Final = 4
"""Security groups with links."""


def of_interfaces(hosts: Iterable[tuple[str, NamedHost]], context: RenderContext) -> list[str]:
    """The paragraph for interfaces without flows: those of the first ones, each with its id."""
    lines = [
        line for name, host in islice(hosts, LINKED) for line in _of_host(host.label or name, host, context)
    ]
    return ["AWS console", *lines] if lines else []


def links(finding: TrafficFinding, ends: Iterable[End], query: str, context: RenderContext) -> list[str]:
    """The paragraph: no line if the partition has no public console, or nothing is known."""
    hosts = [host for end in ends for host in _known(end)]
    lines = [
        *(line for address, host in hosts for line in _of_host(address, host, context)),
        *_of_logging(finding, [host for _, host in hosts], context),
        *islice(_of_groups([host for _, host in hosts], context), MOST_GROUPS),
        *islice(_of_subnets([host for _, host in hosts], context), LINKED),
        *_shown("query of the log group", logs(finding, query, context)),
    ]
    return ["AWS console", *lines] if lines else []


def logs(finding: TrafficFinding, query: str, context: RenderContext) -> str:
    """The link to the query in CloudWatch Logs Insights; '' if there is none."""
    return context.console.logs(context.log_group, query, amount.covered(finding))


def document(finding: TrafficFinding, query: str, context: RenderContext) -> dict[str, Any]:
    """The links for machines that do not belong to a host at one of the ends."""
    interface = context.console.interface(known_id(finding.example.flow.interface_id) or "")
    return {"interface": interface or None, "logs": logs(finding, query, context) or None}


def _known(end: End) -> list[tuple[str, NamedHost]]:
    return [each for each in end.listed if each[1].is_known][:LINKED]


def _of_host(address: str, host: NamedHost, context: RenderContext) -> Iterator[str]:
    interface, instance = host.host.interface or "", host.host.instance or ""
    yield from _shown(f"{address}, instance {instance}", context.console.instance(instance))
    yield from _shown(f"{address}, interface {interface}", context.console.interface(interface))


def _of_logging(finding: TrafficFinding, hosts: Iterable[NamedHost], context: RenderContext) -> Iterator[str]:
    """The interface that logged the flows, if it is none of the hosts'."""
    name = known_id(finding.example.flow.interface_id) or ""
    if name not in {each.host.interface for each in hosts}:
        yield from _shown(f"interface {name}, which logged the records", context.console.interface(name))


def _of_groups(hosts: Iterable[NamedHost], context: RenderContext) -> Iterator[str]:
    for group_id, name in dict.fromkeys(group for host in hosts for group in host.groups):
        yield from _shown(
            f"security group {with_name(group_id, name)}", context.console.security_group(group_id)
        )


def _of_subnets(hosts: Iterable[NamedHost], context: RenderContext) -> Iterator[str]:
    """With route table and network ACL, which on-call needs for blocked and for unexpected traffic."""
    for subnet_id, name in dict.fromkeys((each.host.subnet or "", each.subnet_name) for each in hosts):
        yield from _shown(f"subnet {with_name(subnet_id, name)}", context.console.subnet(subnet_id))


def _shown(title: str, link: str) -> Iterator[str]:
    if link:
        yield f"  {title}: {link}"
