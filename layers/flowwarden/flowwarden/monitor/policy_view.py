"""The policy as batches use it."""

from __future__ import annotations

from msgspec import Struct

from flowwarden.network.addresses import AddressClassifiers
from flowwarden.network.services import ServicePorts
from flowwarden.policy.policy import Policy


class PolicyView(Struct, frozen=True):
    """The policy, with data derived from it once per container."""

    policy: Policy
    classifiers: AddressClassifiers
    services: ServicePorts

    @classmethod
    def of(cls, policy: Policy) -> PolicyView:
        """Prepare a policy."""
        return cls(
            policy,
            AddressClassifiers(policy.own_cidrs, policy.partner_cidrs),
            ServicePorts(policy.service_ports),
        )
