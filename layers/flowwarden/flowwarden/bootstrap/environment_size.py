"""Whether the parameters of a deployment fit into the environment of each function. Pure.

Lambda refuses an environment of more than 4 KB in the middle of a deployment, without the name of a variable.
Each parameter may be as long as it says, but not all of them at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from flowwarden.errors import SettingsError
from flowwarden.parameters import PARAMETERS, POLICY_PROFILE, SINK_ROUTES, YES
from flowwarden.settings import DispatcherSettings, EnforcerSettings, MonitorSettings, Settings
from flowwarden.sinks.table import SINKS

LIMIT: Final = 4096
"""Bytes of all names and values of an environment."""


class Function(Struct, frozen=True):
    """A function with an environment."""

    name: str
    settings: type[Settings]
    others: int
    """Bytes of the names of its variables, and of the values that no parameter sets, such as ARNs, in a stack
    whose name has at most `LONGEST_STACK` characters."""


LONGEST_STACK: Final = 64
FUNCTIONS: Final = (
    Function("monitor", MonitorSettings, 770),
    Function("enforcer", EnforcerSettings, 1110),
    Function("dispatcher", DispatcherSettings, 725),
)
MADE: Final = {"ChatNotifications": 160, "SecurityHub": 82}
"""Bytes of the ARN that a parameter adds if it is `yes`."""
_SHARED: Final = ("LogLevel", "AwsEndpointUrl")
"""Parameters that are in each environment, but in no setting."""
_SHOWN: Final = 4
"""Parameters that a message names."""


def check(values: Mapping[str, str]) -> None:
    """Check the sizes.

    Args:
        values: the value of each parameter.

    Raises:
        SettingsError: the environment of a function can exceed the limit.
    """
    for function in FUNCTIONS:
        sizes = parameter_bytes(values, function)
        room, total = LIMIT - function.others, sum(sizes.values())
        if total > room:
            raise SettingsError(_message(function, sizes, total, room))


def parameter_bytes(values: Mapping[str, str], function: Function) -> dict[str, int]:
    """The bytes that each parameter takes in the environment of a function."""
    read = {each.upper() for each in function.settings.__struct_fields__}
    names = [name for name, each in PARAMETERS.items() if each.variable in read or name in _SHARED]
    sinks = [SINK_ROUTES, *(each.parameter for each in SINKS)]
    return {name: _bytes(name, values[name]) for name in (*names, *sinks)}


def _bytes(name: str, value: str) -> int:
    if name in MADE:
        return MADE[name] if value == YES else 0
    return len(value.encode())


def _message(function: Function, sizes: Mapping[str, int], total: int, room: int) -> str:
    largest = sorted(sizes.items(), key=lambda each: -each[1])[:_SHOWN]
    named = ", ".join(f"{name} {size}" for name, size in largest if size)
    return (
        f"the parameters take {total} bytes of the environment of the {function.name}, which has room for "
        f"{room} ({named}, …): shorten them, or move the policy to an AppConfig profile ({POLICY_PROFILE})"
    )
