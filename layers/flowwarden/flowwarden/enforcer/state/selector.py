"""Decides which VPCs and transit gateways a selection in the policy matches. Pure."""

from __future__ import annotations

from ipaddress import ip_network

from flowwarden.enforcer.state.inventory import Vpc
from flowwarden.policy.flow_logs import ANY, Selection
from flowwarden.policy.transit_gateways import GatewaySelection


def selects(where: Selection, account_id: str, region: str, vpc: Vpc) -> bool:
    """Whether the selection matches a VPC."""
    inside = any(_holds(outer, inner) for outer in where.cidrs for inner in vpc.cidrs)
    return _matches(where, where.vpcs, account_id, region, vpc) and (not where.cidrs or inside)


def selects_gateway(where: GatewaySelection, account_id: str, region: str, gateway: Vpc) -> bool:
    """Whether the selection matches a transit gateway."""
    return _matches(where, where.ids, account_id, region, gateway)


def _matches(
    where: Selection | GatewaySelection, ids: tuple[str, ...], account_id: str, region: str, found: Vpc
) -> bool:
    """Whether the conditions that both kinds of selections have match; `ids` are those it names."""
    return (
        (not where.accounts or account_id in where.accounts)
        and (not where.regions or region in where.regions)
        and (not ids or found.vpc_id in ids)
        and all(_fits(found.tags.get(key), value) for key, value in where.tags.items())
    )


def _fits(value: str | None, wanted: str) -> bool:
    return value is not None and wanted in {ANY, value}


def _holds(outer: str, inner: str) -> bool:
    network, part = ip_network(outer), ip_network(inner)
    # Both have the same IP version here, which the type checker cannot infer.
    return network.version == part.version and part.subnet_of(network)  # type: ignore[arg-type]
