"""Compressed documents in items of the state table."""

from __future__ import annotations

import zlib
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from flowwarden.aws.dynamodb.item import StoredItem, packed
from flowwarden.unreadable import Unreadable


class Kind(Struct, frozen=True):
    """A document."""

    text: str


DOCUMENT = Kind("a text that repeats itself, " * 200)


def read(member: dict[str, Any]) -> tuple[Kind | None, bool]:
    """The document in a member, and whether a part of the item could not be read."""
    unreadable = Unreadable()
    found = StoredItem("key", {"name": member}, unreadable).document("name", Kind)
    return found, bool(unreadable.take().count)


def test_a_compressed_document_is_read_as_it_was_stored() -> None:
    """It takes far fewer bytes, which the table bills."""
    member = packed(DOCUMENT)
    assert read(member) == (DOCUMENT, False)
    assert 10 * len(member["B"]) < len(msgspec.json.encode(DOCUMENT))


def test_a_document_that_an_earlier_version_stored_as_text_is_read() -> None:
    """Items outlive a deployment."""
    assert read({"S": msgspec.json.encode(DOCUMENT).decode()}) == (DOCUMENT, False)


@pytest.mark.parametrize(
    "member",
    [
        {"B": b""},
        {"B": b"no zlib"},
        {"B": packed(DOCUMENT)["B"][:-5]},
        {"B": zlib.compress(b"[]")},
        {"B": zlib.compress(b"{")},
        {"B": "text"},
        {"B": zlib.compress(b" " * 2**22)},
    ],
)
def test_damaged_bytes_are_noted_and_ignored(member: dict[str, Any]) -> None:
    """Also those that stand for megabytes."""
    assert read(member) == (None, True)
