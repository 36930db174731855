"""Decides which VPCs and transit gateways a selection in the policy matches. Pure."""

from __future__ import annotations

from ipaddress import ip_network

from flowwarden.enforcer.state.inventory import Vpc
from flowwarden.policy.flow_logs import ANY, Selection
from flowwarden.policy.transit_gateways import GatewaySelection


def selects(where: Selection, account_id: str, region: str, vpc: Vpc) -> bool:
    """Whether the selection matches a VPC."""
    return (
        (not where.accounts or account_id in where.accounts)
        and (not where.regions or region in where.regions)
        and (not where.vpcs or vpc.vpc_id in where.vpcs)
        and all(_fits(vpc.tags.get(key), value) for key, value in where.tags.items())
        and (not where.cidrs or any(_holds(outer, inner) for outer in where.cidrs for inner in vpc.cidrs))
    )


def selects_gateway(where: GatewaySelection, account_id: str, region: str, gateway: Vpc) -> bool:
    """Whether the selection matches a transit gateway."""
    return (
        (not where.accounts or account_id in where.accounts)
        and (not where.regions or region in where.regions)
        and (not where.ids or gateway.vpc_id in where.ids)
        and all(_fits(gateway.tags.get(key), value) for key, value in where.tags.items())
    )


def _fits(value: str | None, wanted: str) -> bool:
    return value is not None and wanted in {ANY, value}


def _holds(outer: str, inner: str) -> bool:
    network, part = ip_network(outer), ip_network(inner)
    # Both have the same IP version here, which the type checker cannot infer.
    return network.version == part.version and part.subnet_of(network)  # type: ignore[arg-type]
