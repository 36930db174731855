"""Responses of AWS, treated as untrusted input: one accessor for each type of member.

A missing member reads as empty. A member of the wrong type, and an invalid address or network, is ignored and
added to the `faults` of its response, which the caller reports. Only `demand` raises `Malformed`: for a
member without which a resource cannot be used, so the caller skips that resource.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Any

from flowwarden.errors import CallFailed


class Malformed(Exception):
    """A member without which a resource cannot be used is missing or has the wrong type."""


class Answer:
    """One response or a part of it, such as the description of a resource."""

    def __init__(self, raw: object, faults: list[str] | None = None, path: str = "") -> None:
        """Wrap what botocore returned.

        Args:
            raw: the response or a part of it; anything but a mapping is a fault.
            faults: for a part, the list of the whole response, to which faults are added.
            path: for a part, its place in the response, such as `Tags[2].`.
        """
        self.faults: list[str] = [] if faults is None else faults
        """What was ignored, such as `Tags[2].Key is not text`."""
        self._path = path
        self._raw: Mapping[str, Any] = raw if isinstance(raw, Mapping) else {}
        if not isinstance(raw, Mapping):
            self._fault("", "a structure")

    @classmethod
    def of(cls, raw: object) -> Answer:
        """Wrap a response, unless it is an `Answer` already."""
        return raw if isinstance(raw, Answer) else cls(raw)

    def __contains__(self, name: str) -> bool:
        """Whether there is a member of this name, of any type."""
        return self._raw.get(name) is not None

    def demand(self, name: str) -> str:
        """A text that is not empty. Raises Malformed if there is none."""
        value = self._raw.get(name)
        if isinstance(value, str) and value:
            return value
        raise Malformed(f"{self._path}{name} is {'not text' if value else 'missing'}")

    def text(self, name: str) -> str:
        """A text; '' if it is missing."""
        return self._member(name, str, "text") or ""

    def number(self, name: str) -> int | None:
        """A whole number; None if it is missing."""
        value = self._member(name, int, "a whole number")
        if isinstance(value, bool):
            self._fault(name, "a whole number")
            return None
        return value

    def truth(self, name: str) -> bool | None:
        """True or false; None if it is missing."""
        return self._member(name, bool, "a boolean")

    def moment(self, name: str) -> int | None:
        """A time in Unix seconds, without fractions; None if it is missing."""
        value = self._member(name, datetime, "a time")
        try:
            return None if value is None else int(value.timestamp())
        except (
            OverflowError,
            ValueError,
        ):  # a time without a time zone, at the limits of the platform's clock
            self._fault(name, "a time")
            return None

    def value(self, name: str) -> Any:  # noqa: ANN401 - of whichever type the caller checks
        """The member as it is; None if it is missing."""
        return self._raw.get(name)

    def inner(self, name: str) -> Answer:
        """A structure; an empty one if it is missing."""
        found = self._member(name, dict, "a structure")
        return Answer({} if found is None else found, self.faults, f"{self._path}{name}.")

    def each(self, name: str) -> list[Answer]:
        """The structures in a list; its other values are ignored."""
        return [
            Answer(value, self.faults, f"{path}.") for path, value in self._items(name, dict, "a structure")
        ]

    def texts(self, name: str) -> list[str]:
        """The texts in a list; its other values are ignored."""
        return [value for _, value in self._items(name, str, "text")]

    def tags(self, name: str) -> dict[str, str]:
        """Tags by key; a tag without a key is ignored, and one without a value is empty."""
        found = [(each.text("Key"), each.text("Value")) for each in self.each(name)]
        return {key: value for key, value in found if key}

    def by_name(self, name: str) -> dict[str, str]:
        """The texts in a structure by the names of their members; its other values are ignored."""
        inner = self.inner(name)
        return {each: inner.text(each) for each in inner.names}

    @property
    def names(self) -> list[str]:
        """The names of the members."""
        return list(self._raw)

    def address(self, name: str) -> str:
        """An IP address without a scope; '' if it is missing or invalid."""
        return self._checked(name, _is_address, "an IP address")

    def network(self, name: str) -> str:
        """A network in CIDR notation; '' if it is missing or invalid."""
        return self._checked(name, _is_network, "a network")

    def leave_out(self, why: str) -> None:
        """Add a fault that the caller found, such as a resource that it skips."""
        self.faults.append(why)

    def _checked(self, name: str, is_right: Callable[[str], bool], word: str) -> str:
        value = self.text(name)
        if not value or is_right(value):
            return value
        self._fault(name, word)
        return ""

    def _items[T](self, name: str, wanted: type[T], word: str) -> Iterator[tuple[str, T]]:
        """The items of a list that have a type, each with its path."""
        for position, value in enumerate(self._member(name, list, "a list") or ()):
            if isinstance(value, wanted):
                yield f"{self._path}{name}[{position}]", value
            else:
                self._fault(f"{name}[{position}]", word)

    def _member[T](self, name: str, wanted: type[T], word: str) -> T | None:
        value = self._raw.get(name)
        if value is None or isinstance(value, wanted):
            return value
        self._fault(name, word)
        return None

    def _fault(self, name: str, word: str) -> None:
        self.faults.append(f"{self._path}{name} is not {word}".strip())


def listed(call: str, page: object, member: str) -> list[Any]:
    """The items on a page of a call. A page without its list is an error, not an empty page.

    Args:
        call: the operation, for the message, such as `DescribeVpcs`.
        page: the page as botocore returned it.
        member: the member with the list, such as `Vpcs`.

    Raises:
        CallFailed: the list is missing.
    """
    items = Answer(page).value(member)
    if not isinstance(items, list):
        raise CallFailed(f"{call}: the response has no {member}")
    return items


def _is_address(text: str) -> bool:
    try:
        return ip_address(text) is not None and "%" not in text
    except ValueError:
        return False


def _is_network(text: str) -> bool:
    try:
        return ip_network(text) is not None and "%" not in text
    except ValueError:
        return False
