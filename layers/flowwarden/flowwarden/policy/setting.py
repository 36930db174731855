"""One row of the table of flow log settings; the table itself is `policy.flow_logs.SETTINGS`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

from msgspec import NODEFAULT, Struct
from msgspec.structs import fields, replace

from flowwarden.policy.tag_fields import TagFields

type Value = str | int | TagFields
"""Type of a flow log setting; `int` includes `bool`."""


def _as_is(value: Any) -> Any:  # noqa: ANN401  whatever a setting holds
    return value


class Setting(Struct, frozen=True, kw_only=True):
    """One row of the table: a setting in the policy and its counterpart in EC2.

    EC2 cannot change a setting of an existing flow log: a flow log that differs is replaced.
    """

    name: str = ""
    """Name in the policy. Name and default are those of the annotated attribute."""
    default: Any = None
    parameter: str = ""
    """EC2's name, the same in CreateFlowLogs and DescribeFlowLogs; '' if EC2 has no such parameter."""
    inside: str = ""
    """The EC2 structure that contains the parameter, in both calls; '' if it is at the top level."""
    destinations: tuple[str, ...] = ()
    """The destination types that support it; () for all. For others, only the default is allowed."""
    allowed: tuple[Any, ...] = ()
    """The allowed values; () if there are too many to list."""
    difference: str = ""
    """Name in drift messages."""
    unit: str = ""
    """Unit after a value in drift messages."""
    is_long: bool = False
    """Whether its values are too long for a drift message."""
    new_since: str = ""
    """When the SDK added the parameter, if the SDK in the Lambda runtime may be older. The default, which
    must be EC2's default, is then not sent, so an older SDK is sufficient for it."""
    to_ec2: Callable[[Any], Any] = _as_is
    """Converts a value from the policy's form to EC2's."""
    from_ec2: Callable[[Any], Any] = _as_is
    """Converts a value from EC2's form to the policy's. Raises KeyError or TypeError if it is invalid."""
    purpose: str
    """Description in the table of the policy's page in the docs."""
    otherwise: str = "none"
    """How that page describes an empty default."""

    def applies_to(self, destination_type: str) -> bool:
        """Whether flow logs of this destination type support the setting."""
        return not self.destinations or destination_type in self.destinations

    def comparable(self, value: Value | None) -> object:
        """A normalized, hashable form: equal for values that EC2 treats as equal.

        Extra spaces are ignored, and a missing value equals the default.
        """
        if value is None or value == self.default:
            return None
        if isinstance(value, str):
            return " ".join(value.split())
        return tuple(sorted(value.items())) if isinstance(value, dict) else value


def settings_of(holder: type[Struct]) -> tuple[Setting, ...]:
    """The rows in a class's annotations, with the names and defaults of its attributes."""
    return tuple(
        replace(
            get_args(field.type)[1],
            name=field.name,
            default=field.default if field.default_factory is NODEFAULT else field.default_factory(),
        )
        for field in fields(holder)
    )
