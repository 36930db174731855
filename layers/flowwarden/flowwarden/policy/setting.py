"""What a row of the table of flow-log settings says; the table itself is `policy.flow_logs.SETTINGS`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

from msgspec import NODEFAULT, Struct
from msgspec.structs import fields, replace

from flowwarden.policy.tag_fields import TagFields

type Value = str | int | TagFields
"""What a flow log's setting can be; true and false are among the integers."""


def _as_is(value: Any) -> Any:  # noqa: ANN401  whatever a setting holds
    return value


class Setting(Struct, frozen=True, kw_only=True):
    """One row of the table: what the policy may say of a flow log, and what it is for EC2.

    EC2 changes no setting of a flow log that exists: one that differs is replaced.
    """

    name: str = ""
    """In the policy. The attribute that the row annotates gives it, and the default."""
    default: Any = None
    parameter: str = ""
    """EC2's name, the same in CreateFlowLogs and DescribeFlowLogs; '' for what EC2 takes another way."""
    inside: str = ""
    """EC2's structure that holds the parameter, in both; '' if none does."""
    destinations: tuple[str, ...] = ()
    """The destination types that have it; () for all. For others the policy must leave the default."""
    allowed: tuple[Any, ...] = ()
    """The only values; () if there are too many to name."""
    difference: str = ""
    """What drift calls it."""
    unit: str = ""
    """Behind a value, where drift names it."""
    is_long: bool = False
    """Whether its values are too long for a sentence about drift."""
    new_since: str = ""
    """When the SDK got the parameter, if that of the Lambda runtime may be older. The default, which must be
    EC2's own, is then not sent, so that an older SDK will do for it."""
    to_ec2: Callable[[Any], Any] = _as_is
    """From the policy's form of a value to EC2's."""
    from_ec2: Callable[[Any], Any] = _as_is
    """From EC2's form of a value to the policy's. Raises KeyError or TypeError if it is none."""
    purpose: str
    """Its cell on the policy's page in the docs."""
    otherwise: str = "none"
    """What an empty default stands for, on that page."""

    def applies_to(self, destination_type: str) -> bool:
        """Whether a flow log of this destination type has the setting."""
        return not self.destinations or destination_type in self.destinations

    def comparable(self, value: Value | None) -> object:
        """What is the same for values that EC2 treats the same: blanks do not count, nor what is left out.

        The result can be hashed.
        """
        if value is None or value == self.default:
            return None
        if isinstance(value, str):
            return " ".join(value.split())
        return tuple(sorted(value.items())) if isinstance(value, dict) else value


def settings_of(holder: type[Struct]) -> tuple[Setting, ...]:
    """The rows that a class's annotations hold, with the names and defaults of its attributes."""
    return tuple(
        replace(
            get_args(field.type)[1],
            name=field.name,
            default=field.default if field.default_factory is NODEFAULT else field.default_factory(),
        )
        for field in fields(holder)
    )
