"""The latest changes of rules in the state table: implements `monitor.rules.ports.RuleChanges`.

All of them share one partition key; the sort key begins with the resource and the time of the call, so that
one query reads the latest ones of a resource.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from flowwarden.aws.dynamodb.item import key_text
from flowwarden.aws.dynamodb.table import StateTable
from flowwarden.errors import RulesUnavailable, StateUnavailable
from flowwarden.monitor.rules.ports import Allow
from flowwarden.state.rule_changes import RuleChange
from flowwarden.state.schema import MOST_CHANGES, RULE_CHANGES
from flowwarden.unreadable import CLOCKS, Unreadable

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_dynamodb import DynamoDBClient

ACTIONS = ("dynamodb:Query",)  # the latest changes of a resource
"""The IAM actions that this file needs."""


class DynamoDbRecentChanges:
    """The changes of rules in the last day."""

    def __init__(
        self, make: Callable[[], DynamoDBClient], table: str, unreadable: Unreadable | None = None
    ) -> None:
        """Create no client yet: most containers send no page about rejections.

        Args:
            make: creates the client.
            table: the name of the state table.
            unreadable: where items note members that cannot be read.
        """
        self._state = cache(lambda: StateTable(make(), table, unreadable))

    def of(self, resources: Sequence[str], since: int, allow: Allow) -> list[RuleChange]:
        """See the port. Costs one query for each resource."""
        found = [each for name in resources for each in self._of(name, since, allow)]
        return sorted(found, key=lambda each: (each.at, each.call_id), reverse=True)

    def _of(self, resource: str, since: int, allow: Allow) -> list[RuleChange]:
        partition, begin = RULE_CHANGES.address(resource, since, "")
        end = RULE_CHANGES.key_of(resource, since + RULE_CHANGES.ttl + CLOCKS, "")
        try:
            with allow():
                items = self._state().latest(partition, begin, end, MOST_CHANGES)
        except StateUnavailable as error:
            raise RulesUnavailable("the state table did not return the changes of rules") from error
        return [each for members in items if (each := self._read(members, resource))]

    def _read(self, members: dict[str, Any], resource: str) -> RuleChange | None:
        """The change; None if it is not valid, which is noted."""
        key = key_text(members.get("sk"))
        item = self._state().item(f"{RULE_CHANGES.partition} {key}", members)
        found = item.document("content", RuleChange)
        if found is None:
            return None
        if found.resource != resource or RULE_CHANGES.address(*found.key)[1] != key:
            item.left_out("content", "does not fit its key")
            return None
        return found
