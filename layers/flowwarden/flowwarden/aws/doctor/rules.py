"""Rules and schedules, as EventBridge describes them."""

from __future__ import annotations

from typing import Any, Final

from flowwarden.aws.answers import Answer
from flowwarden.aws.doctor.reading import fact
from flowwarden.doctor.facts import Rule

CALLER_ACTIONS: Final = ("events:DescribeRule", "events:ListTargetsByRule")
"""The IAM actions that the credentials of the caller need for this file."""


class RuleReader:
    """Rules of the client's account and Region."""

    def __init__(self, client: Any) -> None:  # noqa: ANN401 - the environment has no stubs of all services
        self._client = client

    def rule(self, name: str) -> Rule:
        """A rule with its targets. Raises the SDK's errors and `Malformed`."""
        state = Answer(self._client.describe_rule(Name=name)).demand("State")
        return Rule(
            name=name,
            enabled=state.startswith("ENABLED"),
            targets=fact("ListTargetsByRule", lambda: self._targets(name)),
        )

    def _targets(self, name: str) -> tuple[str, ...]:
        found = Answer(self._client.list_targets_by_rule(Rule=name))
        return tuple(each.text("Arn") for each in found.each("Targets"))
