"""The schema of the state table: keys are distinct, stable, and defined in one place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from itertools import permutations

import pytest
from msgspec.structs import replace

from flowwarden.monitor.traffic import excess
from flowwarden.state import schema
from flowwarden.state.item import Item
from flowwarden.state.schema import ITEMS, UPLOADS
from tests.architecture import source

SCHEMA = source.PACKAGE / "state" / "schema.py"
KEY = re.compile(r"[a-z][a-z-]*#")


def clashes(items: Iterable[Item]) -> list[tuple[str, str]]:
    """Pairs of items whose keys can be equal: the prefix of one begins with the other's."""
    return [
        (one.name, other.name)
        for one, other in permutations(items, 2)
        if one.partition == other.partition and other.prefix.startswith(one.prefix)
    ]


def taken_partitions(items: Iterable[Item]) -> list[str]:
    """Shared partitions that the key of an item with its own partition can equal."""
    own = [each.prefix for each in items if not each.partition]
    return [each.partition for each in items if each.partition and each.partition.startswith(tuple(own))]


def key_literals(module: ast.Module) -> Iterator[str]:
    """The beginnings of string literals of a module that look like keys of the table."""
    for node in ast.walk(module):
        value = node.values[0] if isinstance(node, ast.JoinedStr) and node.values else node
        text = value.value if isinstance(value, ast.Constant) else None
        if isinstance(text, str) and (found := KEY.match(text)):
            yield found[0]


def unknown(module: ast.Module) -> set[str]:
    """Key literals of a module that are not in the schema."""
    known = [each.partition for each in ITEMS] + [each.prefix for each in ITEMS]
    return {each for each in key_literals(module) if not any(text.startswith(each) for text in known)}


def test_every_key_belongs_to_one_kind_of_item() -> None:
    """Prefixes are distinct, and none begins with another one."""
    assert clashes(ITEMS) == []
    assert taken_partitions(ITEMS) == []
    assert len({each.name for each in ITEMS}) == len(ITEMS)


@pytest.mark.parametrize("prefix", ["heartbeat#", "heartbeat", "heartbeat#x#", ""])
def test_a_conflicting_prefix_is_found(prefix: str) -> None:
    """The same prefix, a shorter one, a longer one."""
    assert clashes((*ITEMS, replace(UPLOADS, prefix=prefix)))


def test_a_conflicting_partition_is_found() -> None:
    """The work queue would read that item."""
    assert taken_partitions((*ITEMS, replace(UPLOADS, prefix="work")))


def test_every_row_of_the_schema_is_in_the_table() -> None:
    """A missing row would not be documented."""
    assert {value for value in vars(schema).values() if isinstance(value, Item)} == set(ITEMS)


def test_key_literals_occur_only_in_the_schema() -> None:
    """The rest of the package builds its keys from the rows."""
    modules = [path for path in source.python("layers/flowwarden") if path != SCHEMA]
    assert {
        source.name(path): found for path in modules if (found := {*key_literals(source.tree(path))})
    } == {}
    assert {*key_literals(source.tree(SCHEMA))}
    assert unknown(source.tree(SCHEMA)) == set()


@pytest.mark.parametrize("code", ['f"stray#{x}"', '"stray#a"', 'key = f"contact#{x}"'])
def test_a_key_that_is_not_in_the_schema_is_found(code: str) -> None:
    """In plain strings and in f-strings."""
    assert unknown(ast.parse(code))


@pytest.mark.parametrize("code", ['f"heartbeat#{x}"', '"work-queue"', '"# Heading"', 'f"{x}#y"', '"a b#c"'])
def test_known_keys_and_other_texts_are_not_reported(code: str) -> None:
    """A heading or an anchor is not a key."""
    assert unknown(ast.parse(code)) == set()


STORED = [
    (schema.CONTACTS_HOUR, (7, "vpc-1/10.0.0.1"), ("contacts#1h#7#vpc-1/10.0.0.1", "sets")),
    (schema.CONTACTS_DAY, (7, "vpc-1/10.0.0.1"), ("contacts#24h#7#vpc-1/10.0.0.1", "sets")),
    (
        schema.REFUSALS,
        (7, "vpc-1/10.0.0.1", "own", "6/443"),
        ("refusals#7#vpc-1/10.0.0.1#own#6/443", "sets"),
    ),
    (schema.SCANNERS, (7, "192.0.2.1"), ("scanner#7#192.0.2.1", "sets")),
    (schema.WATERMARKS, ("group", 7), ("watermark#group#7", "sets")),
    (schema.ATTEMPTS, ("eni-1/10.0.0.1", 7), ("attempts#eni-1/10.0.0.1#7", "sets")),
    (schema.UPLOADS, ("vpc-1/10.0.0.1", "internet", 7), ("uploads#vpc-1/10.0.0.1#internet#7", "sets")),
    (schema.UPLOAD_SIZES, ("tag:web", 7), ("upload-sizes#tag:web#7", "sets")),
    (schema.BASELINES, ("tag:web", 7), ("baseline#tag:web#7", "sets")),
    (schema.SKIPPED, ("eni-1", 7), ("skipped#eni-1#7", "sets")),
    (schema.HEARTBEATS, (7, 3), ("heartbeat#7#3", "sets")),
    (schema.DIGESTS, (7,), ("digest-hour#7", "sets")),
    (schema.INCIDENTS, ("sns:pages", "k"), ("incident#sns:pages#k", "claim")),
    (schema.PAGE_BUDGET, ("sns:pages", 7), ("page-budget#sns:pages#7", "budget")),
    (schema.MUTES, ("0a",), ("mutes", "mute#0a")),
    (schema.RULE_CHANGES, ("sg-1", 7, "e1"), ("rule-changes", "rule-change#sg-1#7#e1")),
    (schema.LOG_FORMATS, ("/group",), ("log-formats#/group", "formats")),
    (schema.LAST_GOOD_POLICY, (), ("policy", "last-good")),
    (schema.WORK_ITEMS, ("vpc-1",), ("work-queue", "vpc#vpc-1")),
    (schema.SWEEP_CURSOR, (), ("work-queue", "cursor")),
    (schema.MANAGED_FLOW_LOGS, ("fl-1",), ("flow-logs", "managed#fl-1")),
    (schema.CREATIONS, ("0a",), ("flow-logs", "creation#0a")),
    (schema.KNOWN_FLOW_LOGS, ("fl-1",), ("flow-logs", "known#fl-1")),
    (schema.DELETED_FLOW_LOGS, ("fl-1",), ("flow-logs", "deleted#fl-1")),
    (schema.DELETION_CALLS, ("d1",), ("flow-logs", "deletion-call#d1")),
    (schema.NEW_EGRESS, (7, "tag:web", 8443), ("new-egress#7#tag:web#8443", "sets")),
    (schema.OUTSIDE_SESSIONS, (7, "vpc-1/10.0.0.1"), ("outside-sessions#7#vpc-1/10.0.0.1", "sets")),
    (schema.REPORTED, (7, "vpc-1", "10.0.0.1"), ("reported#7#vpc-1#10.0.0.1", "sets")),
    (schema.KNOWN_ROLES, ("tag:web",), ("roles", "role#tag:web")),
    (schema.LEARNING_REPORTS, (), ("learning-reports", "sets")),
    (schema.UNSENT, ("k",), ("outbox", "unsent#k")),
]
"""Each kind of item, the parts of a key, and the key as it is stored."""


@pytest.mark.parametrize(
    ("item", "parts", "address"),
    STORED,
    ids=lambda value: value.name if isinstance(value, Item) else "",
)
def test_stored_keys_do_not_change(item: Item, parts: tuple[object, ...], address: tuple[str, str]) -> None:
    """A deployment finds the items of the previous version."""
    assert item.address(*parts) == address


def test_the_stored_key_of_every_kind_of_item_is_checked() -> None:
    """A new kind needs a row in `STORED`."""
    assert {item.name for item, *_ in STORED} == {each.name for each in ITEMS}


def test_set_names_keep_their_meaning() -> None:
    """The monitor takes them in order from the row."""
    assert excess.FAILED == "failed"
    assert excess.FAILED_USUAL == "failed-usual"
    assert excess.FAILED_NETWORKS == "failed-networks"
    assert excess.FAILED_OUTSIDE == "failed-outside"
    assert excess.ANSWERED == "answered"
    assert excess.ANSWERED_BY == "answered-by"
    assert excess.ANSWERED_OUTSIDE == "answered-outside"
    assert excess.ADMINISTERED == "administered"
    assert excess.SESSIONS == "sessions"


def test_a_key_with_wrong_parts_is_rejected() -> None:
    """A missing part would merge two items."""
    with pytest.raises(ValueError, match="a key of uploads"):
        UPLOADS.key_of("vpc-1/10.0.0.1")
