"""Log formats: the ordered fields of a flow log's records."""

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
    """The ordered fields of a record. Hashable; log formats with the same fields are equal.

    Raises:
        LogFormatError: no field, a duplicate field, an invalid name, or no known field.
    """

    names: tuple[str, ...]
    """AWS names, in the order of the tokens in a line."""

    def __post_init__(self) -> None:
        _check(self.names)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a log format.

        Accepts `${version} ${account-id}` (LogFormat), `version account-id` (the header line of a file),
        `version,account-id`, and `_` for `-` in any of them.

        Raises:
            LogFormatError: the text is not in these forms; the message says what is wrong and what to do.
        """
        names = _placeholders(text) if "${" in text else _blank_separated(text)
        return cls(tuple(name.replace("_", "-") for name in names))

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields; unknown fields are text."""
        return tuple(BY_NAME.get(name) or unknown(name) for name in self.names)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Unknown field names, for a warning by the caller."""
        return tuple(name for name in self.names if name not in BY_NAME)

    def to_log_format(self) -> str:
        """The log format in the form of CreateFlowLogs and DescribeFlowLogs."""
        return " ".join(f"${{{name}}}" for name in self.names)


def is_header(line: str) -> bool:
    """Whether the line consists of known field names only, like the first line of a file."""
    names = _blank_separated(line)
    return bool(names) and all(name.replace("_", "-") in BY_NAME for name in names)


def _placeholders(text: str) -> list[str]:
    """The names in `${…}`; only spaces and commas are allowed between them."""
    rest = _PLACEHOLDER.sub("", text).replace(",", " ").split()
    if rest:
        raise LogFormatError(f"{rest[0]!r} is outside ${{…}} in the log format {text!r}; {_EXAMPLE}")
    return _PLACEHOLDER.findall(text)


def _blank_separated(text: str) -> list[str]:
    return text.removeprefix(BYTE_ORDER_MARK).replace(",", " ").split()


def _check(names: tuple[str, ...]) -> None:
    """Raise LogFormatError unless these names are a valid log format."""
    if not names:
        raise LogFormatError(f"the log format has no field; {_EXAMPLE}")
    for name in names:
        if not _NAME.fullmatch(name):
            raise LogFormatError(
                f"{name!r} in the log format is not a field name: use lowercase letters, digits and dashes; "
                f"{_EXAMPLE}"
            )
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise LogFormatError(f"the log format contains {', '.join(twice)} more than once; remove duplicates")
    if BY_NAME.keys().isdisjoint(names):
        raise LogFormatError(f"the log format {' '.join(names)!r} has no field of flow logs; {_EXAMPLE}")


STACK_LOG_FORMAT: Final = LogFormat(
    (
        *(field.name for field in FIELDS if field.version == _DEFAULT_VERSION),
        *("vpc-id", "subnet-id", "instance-id", "tcp-flags", "type", "pkt-srcaddr", "pkt-dstaddr"),
        *("region", "az-id", "pkt-src-aws-service", "pkt-dst-aws-service"),
        *("flow-direction", "traffic-path", "reject-reason"),
    )
)
"""The default of the template's parameter `LogFormat`: the format of flow logs that the enforcer creates."""
DEFAULT_LOG_FORMAT: Final = LogFormat(
    tuple(field.name for field in FIELDS if field.version == _DEFAULT_VERSION)
)
"""AWS's default format, for flow logs without a LogFormat."""
