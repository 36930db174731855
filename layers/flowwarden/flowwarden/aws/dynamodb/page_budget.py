"""The budget for pages in the state table: implements `notify.ports.PageBudget`.

One conditional write counts a page in all its sets, or in none: each set must have room, or contain the page
already. So no set outgrows its limit, also if many invocations ask at once.

A set of another type, or with members that are no tokens, is damaged. It counts as if it contained its tokens
alone, and the call that finds it repairs it. If several invocations find it at once, each may send its page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from flowwarden.aws.dynamodb.item import StoredItem
from flowwarden.aws.dynamodb.table import Address, ConditionFailed, ItemDamaged, StateTable, number
from flowwarden.notify.page_budget import TOKEN_DIGITS, Limit, Page, PageLimits
from flowwarden.state.schema import PAGE_BUDGET
from flowwarden.state.sets import DAY
from flowwarden.unreadable import Unreadable

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_dynamodb import DynamoDBClient

ACTIONS = ("dynamodb:UpdateItem",)
"""The IAM actions that this file needs."""

_TOKEN: Final = re.compile(f"[0-9a-f]{{{TOKEN_DIGITS}}}")
_ROOM: Final = (
    "(attribute_not_exists({name}) OR (attribute_type({name}, :ss)"
    " AND (contains({name}, :token) OR size({name}) < :{name})))"
)


class DynamoDbPageBudget:
    """The pages of each sink and day."""

    def __init__(
        self, client: DynamoDBClient, table: str, limits: PageLimits, unreadable: Unreadable | None = None
    ) -> None:
        self._table = StateTable(client, table, unreadable)
        self._limits = limits

    def take(self, page: Page, now: int) -> Limit | None:
        """See the port. Costs one write, or none without limits; a second one if the item is damaged.

        Raises:
            StateUnavailable: the table did not answer or refused.
        """
        limits = self._limits.at(now, critical=page.critical)
        if not limits:
            return None
        address = PAGE_BUDGET.address(page.key.sink, now // DAY)
        try:
            self._table.update(address, **_added(page, limits, now))
        except ConditionFailed as refused:
            item = self._table.item(address[0], refused.item)
            return self._refused(address, item, page, limits)
        except ItemDamaged as error:  # such as one without room for a token
            self._table.item(address[0], {}).left_out("its size or content", f"allows no write: {error}")
        return None

    def _refused(
        self, address: Address, item: StoredItem, page: Page, limits: Sequence[Limit]
    ) -> Limit | None:
        """The limit that is reached. If there is none, the item is damaged: repairs it."""
        tokens = {each.name: _tokens(item, each.name) for each in limits}
        for limit in limits:
            mine = tokens[limit.name]
            if page.token not in mine and len(mine) >= limit.most:
                return limit
        self._repair(address, item, {name: {*mine, page.token} for name, mine in tokens.items()})
        return None

    def _repair(self, address: Address, item: StoredItem, sets: Mapping[str, set[str]]) -> None:
        """Replace the sets by these, unless another invocation has changed them since."""
        unchanged = [
            f"{name} = :old_{name}" if name in item else f"attribute_not_exists({name})" for name in sets
        ]
        values = {f":{name}": {"SS": sorted(each)} for name, each in sets.items()}
        values |= {f":old_{name}": item.members[name] for name in sets if name in item}
        try:
            self._table.update(
                address,
                UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in sets),
                ConditionExpression=" AND ".join(unchanged),
                ExpressionAttributeValues=values,
            )
        except ConditionFailed:
            return  # it repaired them


def _added(page: Page, limits: Sequence[Limit], now: int) -> dict[str, Any]:
    """The arguments of the update that counts a page."""
    names = [each.name for each in limits]
    return {
        "UpdateExpression": "SET expires_at = :expires ADD " + ", ".join(f"{name} :page" for name in names),
        "ConditionExpression": " AND ".join(_ROOM.format(name=name) for name in names),
        "ExpressionAttributeValues": {
            ":expires": number(PAGE_BUDGET.kept_until(now // DAY * DAY)),
            ":page": {"SS": [page.token]},
            ":token": {"S": page.token},
            ":ss": {"S": "SS"},
            **{f":{each.name}": number(each.most) for each in limits},
        },
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _tokens(item: StoredItem, name: str) -> set[str]:
    """The tokens in one of its sets; notes what else is there."""
    found = item.names(name)
    tokens = {each for each in found if _TOKEN.fullmatch(each)}
    if len(tokens) < len(found):
        item.left_out(name, "contains texts that are never stored")
    return tokens
