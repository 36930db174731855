"""A deployed stack that has learned some roles, in memory, for `flowwarden baseline`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from flowwarden.bootstrap.baseline import BaselinePorts
from flowwarden.monitor.baseline.known_roles import KnownRole
from flowwarden.state.sets import DAY
from tests.cli.fakes_account import NOW
from tests.monitor.fakes_roles import MemoryRoles
from tests.monitor.fakes_state import MemoryEvidence
from tests.monitor.review.examples import DATABASE, items_of, known

TODAY: Final = NOW // DAY


@dataclass
class MemoryForgetting:
    """Removes the items of roles from the fakes."""

    roles: MemoryRoles
    evidence: MemoryEvidence

    def forget(self, role: KnownRole) -> int:
        """See the port."""
        found = [key for key in self.evidence.items if f"#{role.role}#" in key]
        for key in found:
            del self.evidence.items[key]
        self.roles.items[role.role] = role
        return len(found)


def learned_account(count: int = 2) -> BaselinePorts:
    """A stack with this number of roles: a web server with every kind of line, and a database."""
    roles = [known("tag:Role=web", "10.0.1.5"), known("tag:Role=db", "10.0.2.30")][:count]
    store = MemoryRoles({each.role: replace(each, known=TODAY - 20) for each in roles})
    items = items_of("tag:Role=web", sent=1_500_000_000, today=TODAY)
    evidence = MemoryEvidence(items | items_of("tag:Role=db", DATABASE, today=TODAY))
    return BaselinePorts(
        account="111122223333",
        region="eu-west-1",
        roles=store,
        evidence=evidence,
        forgetting=MemoryForgetting(store, evidence),
    )


def away() -> BaselinePorts:
    """A stack whose table refuses the caller."""
    ports = learned_account()
    return replace(ports, roles=MemoryRoles(is_away=True))
