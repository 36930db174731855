"""SQL literals and identifiers: every value from outside goes through this module."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_network
from typing import Final

from flowwarden.errors import FlowWardenError

_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,127}")


class NotExpressible(FlowWardenError):
    """The table or query cannot be expressed with these options; the message says why and what to do."""


def checked_name(text: str, purpose: str) -> str:
    """The name of a table or database, if it is valid in DDL and in queries. Raises NotExpressible."""
    if not _NAME.fullmatch(text):
        raise NotExpressible(
            f"{purpose} {text!r}: use 1 to 128 lowercase letters, digits and underscores, not a digit first"
        )
    return text


def table_parts(text: str) -> list[str]:
    """The parts of `table` or `database.table`. Raises NotExpressible."""
    parts = text.split(".", 1)
    return [checked_name(each, "the table") for each in parts]


def ddl_name(text: str) -> str:
    """A quoted identifier in a DDL statement."""
    doubled = text.replace("`", "``")
    return f"`{doubled}`"


def name(text: str) -> str:
    """A quoted identifier in a query."""
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def literal(value: str) -> str:
    """A text literal in a query."""
    doubled = value.replace("'", "''")
    return f"'{doubled}'"


def literals(values: Iterable[str]) -> str:
    """Text literals, separated by commas."""
    return ", ".join(map(literal, values))


def numbers(values: Iterable[int]) -> str:
    """Numbers in ascending order, separated by commas."""
    return ", ".join(f"{each:d}" for each in sorted(values))


def any_of(conditions: Iterable[str], before: str = " ") -> str:
    """A condition that holds if one of these does; `false` if there are none. `before` precedes each OR."""
    found = [*conditions]
    return f"({f'{before}OR '.join(found)})" if found else "false"


def within(address: str, cidrs: Iterable[str], before: str = " ") -> str:
    """Whether an expression of type `ipaddress` is in one of the networks; see `any_of` for `before`.

    Raises:
        ValueError: a network is not valid.
    """
    networks = (str(ip_network(each, strict=False)) for each in cidrs)
    return any_of((f"contains({literal(each)}, {address})" for each in networks), before)
