"""A stored item, treated as untrusted input: a member of the wrong type is ignored and noted.

The table may contain items of another version, incomplete items, and items that were edited by hand. A time
in the far future is ignored too; otherwise an incident could, for example, be suppressed until then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from flowwarden.unreadable import CLOCKS, Unreadable

_LONGEST: Final = 40
"""Maximum characters of a number: DynamoDB's numbers have at most 38 digits."""
_KINDS: Final[Mapping[str, type]] = {"S": str, "N": str, "B": bytes, "BOOL": bool, "NULL": bool}
"""The types of single values in DynamoDB's notation."""
_OF_TEXTS: Final = {"SS", "NS"}


class StoredItem:
    """The members of one item by their types in DynamoDB. None stands for a member that cannot be used."""

    def __init__(self, key: str, members: object, unreadable: Unreadable) -> None:
        """Wrap an item.

        Args:
            key: the item's key, for notes.
            members: the item in DynamoDB's notation, such as `{"reported": {"SS": ["i-1"]}}`.
            unreadable: where ignored members are noted.
        """
        self.key = key
        self.members: Mapping[str, Any] = members if isinstance(members, Mapping) else {}
        self._unreadable = unreadable

    def __contains__(self, name: str) -> bool:
        """Whether there is a member of this name, of any type."""
        return name in self.members

    def left_out(self, name: str, why: str) -> None:
        """Note that a member cannot be used."""
        self._unreadable.note(self.key, f"{name} {why}")

    def text(self, name: str) -> str | None:
        """A text."""
        return self._of_type(name, "S", str, "text")

    def document[Kind](self, name: str, kind: type[Kind]) -> Kind | None:
        """A text that is a JSON document, decoded as a `kind`."""
        text = self.text(name)
        if text is None:
            return None
        try:
            return msgspec.json.decode(text, type=kind)
        except (
            msgspec.MsgspecError,
            UnicodeError,
            RecursionError,
        ) as error:  # such as one of another version
            self.left_out(name, f"cannot be read: {error}")
            return None

    def truth(self, name: str) -> bool | None:
        """True or false."""
        return self._of_type(name, "BOOL", bool, "a boolean")

    def moment(self, name: str, latest: int) -> int | None:
        """Unix seconds, from 0 to `latest` plus the maximum difference of two clocks (`CLOCKS`)."""
        found = _whole(self._value(name, "N"))
        if found is None:
            self.left_out(name, _wrong("is not a whole number", found=name in self))
        elif not 0 <= found <= latest + CLOCKS:
            self.left_out(name, f"is {found}, which is not a plausible time")
        else:
            return found
        return None

    def texts(self, name: str) -> tuple[str, ...] | None:
        """The texts in a list; its other values are ignored."""
        values = self._of_type(name, "L", list, "a list")
        if values is None:
            return None
        found = [each.get("S") if isinstance(each, Mapping) else None for each in values]
        texts = tuple(each for each in found if isinstance(each, str))
        if len(texts) < len(found):
            self.left_out(name, "contains values that are not text")
        return texts

    def size(self, name: str) -> int:
        """The number of texts in a set; 0 if there is none."""
        return len(self._of_type(name, "SS", list, "a set of texts") or ()) if name in self else 0

    def names(self, name: str) -> tuple[str, ...]:
        """The texts in a set, sorted; none if there is no set."""
        if name not in self:
            return ()
        values = self._of_type(name, "SS", list, "a set of texts") or ()
        return tuple(sorted(each for each in values if isinstance(each, str)))

    def amount(self, name: str) -> int | None:
        """A whole number from 0."""
        found = _whole(self._value(name, "N"))
        if found is None or found < 0:
            self.left_out(name, _wrong("is not a whole number from 0", found=name in self))
            return None
        return found

    def numbers(self, name: str, bits: int) -> frozenset[int]:
        """The numbers in a set that have at most `bits` bits and are not negative; the others are ignored."""
        values = self._of_type(name, "NS", list, "a set of numbers")
        if values is None:
            return frozenset()
        try:
            found = frozenset(map(int, values))  # fast, because a month of a role has tens of thousands
        except (TypeError, ValueError):
            found = frozenset(each for each in map(_whole, values) if each is not None)
        if found and (min(found) < 0 or max(found) >= 1 << bits):
            found = frozenset(each for each in found if 0 <= each < 1 << bits)
        if len(found) < len(values):
            self.left_out(name, "contains numbers that are never stored")
        return found

    def _of_type[T](self, name: str, kind: str, wanted: type[T], word: str) -> T | None:
        value = self._value(name, kind)
        if isinstance(value, wanted):
            return value
        self.left_out(name, _wrong(f"is not {word}", found=name in self))
        return None

    def _value(self, name: str, kind: str) -> object:
        member = self.members.get(name)
        return member.get(kind) if isinstance(member, Mapping) else None


def _wrong(why: str, *, found: bool) -> str:
    return why if found else "is missing"


def is_value(member: object) -> bool:
    """Whether a member is a value in DynamoDB's notation, which can be sent back to compare it."""
    if not isinstance(member, Mapping) or len(member) != 1:
        return False
    ((kind, value),) = member.items()
    match value:
        case list() if kind in _OF_TEXTS:
            return bool(value) and all(isinstance(each, str) for each in value)
        case list() if kind == "L":
            return all(map(is_value, value))
        case dict() if kind == "M":
            return all(map(is_value, value.values()))
        case _:
            return isinstance(value, _KINDS.get(kind, ()))


def key_text(member: object) -> str:
    """The text of a part of a key; '' for anything else."""
    found = member.get("S") if isinstance(member, Mapping) else None
    return found if isinstance(found, str) else ""


def named(members: Mapping[str, Any], kind: str) -> Sequence[str]:
    """The names of the members of one type."""
    return [name for name, member in members.items() if isinstance(member, Mapping) and kind in member]


def _whole(value: object) -> int | None:
    """The whole number in DynamoDB's notation, which is a text; None for anything else."""
    if not isinstance(value, str) or len(value) > _LONGEST:
        return None
    try:
        return int(value)
    except ValueError:
        return None
