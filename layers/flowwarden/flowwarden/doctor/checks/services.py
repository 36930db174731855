"""Whether the configured AWS services exist that get findings; `flowwarden test-page` tries them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowwarden.doctor.check import Check
from flowwarden.doctor.facts import Facts, FindingService
from flowwarden.doctor.line import Found, Problem, Verdict

BUS: Final = "eventbridge"
"""The subject of the event bus: the name of its sink."""

NO_BUS: Final = Problem(
    name="event-bus-missing",
    verdict=Verdict.FAILED,
    text="the event bus {bus} does not exist in this Region, so it gets no finding",
    fix="aws events create-event-bus --name {bus} --region {region}, or deploy with another EventBus",
)
NO_HUB: Final = Problem(
    name="security-hub-disabled",
    verdict=Verdict.FAILED,
    text="Security Hub is not enabled in this account and Region, so it gets no finding",
    fix="aws securityhub enable-security-hub --region {region}, or deploy with SecurityHub=no",
)


def _judge(name: str, service: FindingService, facts: Facts) -> Iterator[Found]:
    if service.exists:
        return
    yield NO_BUS.of(bus=facts.stack.parameters.get("EventBus", "")) if name == BUS else NO_HUB.of()


CHECK: Final = Check(
    name="services",
    verifies="the configured event bus exists, and Security Hub is enabled if it is configured",
    sound="can take findings",
    subjects=lambda facts: facts.services,
    judge=_judge,
    problems=(NO_BUS, NO_HUB),
)
