"""Damage to the items of the state table: each member dropped, of another type, or with another value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import batched
from typing import Any, Final

from tests.aws.clients import shared
from tests.hostile import HOSTILE

TABLE: Final = "state"
DROPPED: Final = "dropped"
FAR: Final = "253402300799"
"""The last second of the year 9999."""
DAMAGE: Final[dict[str, Any]] = {
    DROPPED: None,
    "a far time": {"N": FAR},
    "a negative number": {"N": "-1"},
    "a fraction": {"N": "1.5"},
    "a huge number": {"N": "9" * 38},
    "an empty text": {"S": ""},
    "junk": {"S": HOSTILE.replace("\ud800", "")},
    "a deep document": {"S": f'{{"x":{"[" * 20_000}'},
    "a boolean": {"BOOL": True},
    "null": {"NULL": True},
    "a list": {"L": [{"N": "1"}, {"S": "${srcaddr}"}]},
    "a structure": {"M": {"S": {"S": "x"}}},
    "odd numbers": {"NS": ["-1", "1.5", FAR, "9" * 38, "3"]},
    "texts": {"SS": ["x"]},
    "bytes": {"B": b"\xff"},
}
"""The values that replace a member, by name."""
KEYS: Final = ("pk", "sk")
INDEX_KEYS: Final = frozenset({"open", "check_at"})
LONGEST_KEY: Final = 1024
"""Bytes that the key of an index may have: DynamoDB stores no item with a longer one."""


def dynamodb() -> Any:
    """The client of the table."""
    return shared("dynamodb")


def items() -> list[dict[str, Any]]:
    """The items of the table."""
    found: list[dict[str, Any]] = dynamodb().scan(TableName=TABLE)["Items"]
    return found


def empty() -> None:
    """Delete all items."""
    _write([{"DeleteRequest": {"Key": {name: item[name] for name in KEYS}}} for item in items()])


def fill(kept: Iterable[dict[str, Any]]) -> None:
    """Replace the content of the table with these items."""
    empty()
    _write([{"PutRequest": {"Item": item}} for item in kept])


def _write(requests: Sequence[dict[str, Any]]) -> None:
    """Write 25 items in each call: a call for each item would take most of a test's time."""
    for some in batched(requests, 25, strict=False):
        dynamodb().batch_write_item(RequestItems={TABLE: list(some)})


def members(item: dict[str, Any], kind: str = DROPPED) -> list[str]:
    """The members that can have this damage: all but the keys, and but those of the index if it is long."""
    is_long = len((DAMAGE[kind] or {}).get("S", "")) > LONGEST_KEY
    return sorted(item.keys() - set(KEYS) - (INDEX_KEYS if is_long else set()))


def damage(item: dict[str, Any], member: str, kind: str) -> None:
    """Store the item with a damaged member."""
    kept = {name: value for name, value in item.items() if name != member}
    changed = {} if kind == DROPPED else {member: DAMAGE[kind]}
    dynamodb().put_item(TableName=TABLE, Item=kept | changed)


def restore(item: dict[str, Any]) -> None:
    """Store an item as it was."""
    dynamodb().put_item(TableName=TABLE, Item=item)
