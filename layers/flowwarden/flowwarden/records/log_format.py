"""Layouts: the ordered fields of a log format."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final, Self

from msgspec import Struct

from flowwarden.errors import LogFormatError
from flowwarden.records.fields import BY_NAME, FIELDS, Field, unknown

BYTE_ORDER_MARK: Final = "\ufeff"

_PLACEHOLDER: Final = re.compile(r"\$\{([^{}]*)\}")
_NAME: Final = re.compile(r"[a-z][a-z0-9-]*")
_DEFAULT_VERSION: Final = 2
_EXAMPLE: Final = "write it like ${version} ${srcaddr} ${dstaddr}"


class LogFormat(Struct, frozen=True):
    """The ordered fields of a log format. Hashable; two layouts with the same fields are equal.

    Raises:
        LogFormatError: no field, a field twice, a name that cannot be one, or no field of the table at all.
    """

    names: tuple[str, ...]
    """AWS names, in the order of the tokens of a line."""

    def __post_init__(self) -> None:
        _check(self.names)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a layout as people and AWS write it.

        Takes `${version} ${account-id}` (LogFormat), `version account-id` (the header line of a file),
        `version,account-id`, and `_` for `-` in any of them.

        Raises:
            LogFormatError: the text is none of these; the message says what is wrong and what to do.
        """
        names = _placeholders(text) if "${" in text else _blank_separated(text)
        return cls(tuple(name.replace("_", "-") for name in names))

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields; one that the table does not know is text."""
        return tuple(BY_NAME.get(name) or unknown(name) for name in self.names)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Names that the table does not know, for the caller to warn about once."""
        return tuple(name for name in self.names if name not in BY_NAME)

    def to_log_format(self) -> str:
        """The layout as CreateFlowLogs and DescribeFlowLogs write it."""
        return " ".join(f"${{{name}}}" for name in self.names)


def is_header(line: str) -> bool:
    """Whether the line names fields of the table, as the first line of a file does, and nothing else."""
    names = _blank_separated(line)
    return bool(names) and all(name.replace("_", "-") in BY_NAME for name in names)


def _placeholders(text: str) -> list[str]:
    """The names in `${…}`; anything but blanks and commas between them is refused."""
    rest = _PLACEHOLDER.sub("", text).replace(",", " ").split()
    if rest:
        raise LogFormatError(f"{rest[0]!r} stands outside ${{…}} in the log format {text!r}; {_EXAMPLE}")
    return _PLACEHOLDER.findall(text)


def _blank_separated(text: str) -> list[str]:
    return text.removeprefix(BYTE_ORDER_MARK).replace(",", " ").split()


def _check(names: tuple[str, ...]) -> None:
    """Raise LogFormatError unless these names make a layout."""
    if not names:
        raise LogFormatError(f"the log format has no field; {_EXAMPLE}")
    for name in names:
        if not _NAME.fullmatch(name):
            raise LogFormatError(
                f"{name!r} in the log format is no field name: lower-case letters, digits, dashes; {_EXAMPLE}"
            )
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise LogFormatError(f"the log format names {', '.join(twice)} more than once; name each field once")
    if BY_NAME.keys().isdisjoint(names):
        raise LogFormatError(f"the log format {' '.join(names)!r} has no field of flow logs; {_EXAMPLE}")


DEFAULT_LOG_FORMAT: Final = LogFormat(
    tuple(field.name for field in FIELDS if field.version == _DEFAULT_VERSION)
)
"""What AWS writes for a flow log without a LogFormat."""
