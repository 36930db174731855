"""The ports of `simulated_stack.SimulatedStack`: on fakes, and on the state table of an emulator."""

from __future__ import annotations

from typing import Final

from flowwarden.aws.dynamodb.claims import DynamoDbClaims
from flowwarden.aws.dynamodb.digests import DynamoDbDigests
from flowwarden.aws.dynamodb.incidents import DynamoDbIncidents
from flowwarden.aws.dynamodb.page_budget import DynamoDbPageBudget
from flowwarden.aws.dynamodb.sets import DynamoDbEvidence
from tests.aws.dynamodb.damage import TABLE, dynamodb, empty
from tests.dispatcher.lives.scenario import LIMITS, TERMS
from tests.dispatcher.lives.simulated_stack import TRACKER, Mishaps, Ports, SimulatedStack
from tests.dispatcher.memory import MemoryIncidents
from tests.monitor.fakes_state import MemoryDigests, MemoryEvidence
from tests.notify.fakes import MemoryClaims
from tests.notify.fakes_budget import MemoryPageBudget

TWO: Final = ("chat", "mail")
THREE: Final = ("sns", "chat", TRACKER)
"""Receivers of pages. The service of the last one tracks incidents."""


def in_memory() -> Ports:
    """A new table in memory."""
    claims = MemoryClaims(TERMS)
    return Ports(claims, MemoryIncidents(claims), MemoryEvidence(), MemoryPageBudget(LIMITS), MemoryDigests())


def on_table() -> Ports:
    """The state table of moto, empty."""
    empty()
    client = dynamodb()
    return Ports(
        DynamoDbClaims(client, TABLE, TERMS),
        DynamoDbIncidents(client, TABLE, TERMS.lease),
        DynamoDbEvidence(client, TABLE),
        DynamoDbPageBudget(client, TABLE, LIMITS),
        DynamoDbDigests(client, TABLE),
    )


def lived(
    mishaps: Mishaps | None = None, *, skew: int = 0, twice: bool = False, pagers: tuple[str, ...] = TWO
) -> SimulatedStack:
    """A stack in memory after some hours, with these receivers of pages."""
    return SimulatedStack(in_memory(), mishaps or Mishaps({}), skew, twice, pagers).live()
