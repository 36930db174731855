"""Stores changes of rules in the state table: implements `state.rule_changes.RuleChangeStore`."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from flowwarden.aws.dynamodb.table import TableUser, number
from flowwarden.state.rule_changes import RuleChange
from flowwarden.state.schema import RULE_CHANGES

ACTIONS = ("dynamodb:BatchWriteItem",)  # a repeated delivery writes the same item
"""The IAM actions that this file needs."""


class DynamoDbRuleChanges(TableUser):
    """The changes of rules, one item for each resource of a call."""

    def store(self, changes: Sequence[RuleChange]) -> None:
        """See the port. Costs one write for each."""
        self._table.put(
            (
                RULE_CHANGES.address(*each.key),
                {
                    "content": {"S": msgspec.json.encode(each).decode()},
                    "expires_at": number(RULE_CHANGES.kept_until(each.at)),
                },
            )
            for each in changes
        )
