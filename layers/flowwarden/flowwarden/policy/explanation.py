"""Explains why the decoder refused a policy: the setting, its value, and what is allowed there. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from flowwarden.policy.detection import Thresholds
from flowwarden.policy.document import Json, shown_at
from flowwarden.policy.flow_logs import Exemption, FlowLogSpec, FlowLogsPolicy, Rule, Selection
from flowwarden.policy.mutes import Mute

PLACES: Final[Mapping[str, type[Struct]]] = {
    "mutes": Mute,
    "thresholds": Thresholds,
    "flow_logs": FlowLogsPolicy,
    "default": FlowLogSpec,
    "rules": Rule,
    "flow_log": FlowLogSpec,
    "exemptions": Exemption,
    "where": Selection,
}
"""Types of the settings that contain other settings."""

_LIKE: Final = 0.6
"""How alike a name must be to be suggested (0 to 1)."""
_NAME_CHARACTERS: Final = 80


def explained(reason: str, document: Json, top: type[Struct]) -> str:
    """The decoder's message (`… - at `$.one.two``) with the value and the names of the settings there.

    Args:
        reason: the message.
        document: the policy as written.
        top: the type of the whole policy.
    """
    problem, _, rest = reason.partition(" - at `$")
    path = rest.rstrip("`")
    unknown = re.search(r"unknown field `(.*)`", problem, re.DOTALL)
    names = _settings_at(path, top)
    value = shown_at(document, f"{path}.{unknown[1]}" if unknown else path) if path or unknown else None
    parts = [_visible(reason), f"allowed settings: {', '.join(names)}"]
    if value is not None:
        parts.append(f"its value is {value}")
    if unknown:
        parts += [f"did you mean {like}?" for like in _alike(unknown[1][:_NAME_CHARACTERS], names)]
    return "; ".join(parts)


def _alike(name: str, names: Sequence[str]) -> Sequence[str]:
    """The name that is most like another one, if any is."""
    from difflib import get_close_matches  # noqa: PLC0415  takes milliseconds of each cold start

    return get_close_matches(name, names, 1, _LIKE)


def _settings_at(path: str, top: type[Struct]) -> tuple[str, ...]:
    """The names of the settings at a path; without one, those of the whole policy."""
    steps = re.findall(r"[a-z_]+", path)
    place = next((PLACES[name] for name in steps[::-1] if name in PLACES), top)
    return place.__struct_fields__


def _visible(reason: str) -> str:
    """The message, in which the name of an unknown field is the user's: one line of bounded length."""
    return "".join(char if char.isprintable() else "?" for char in reason[: 4 * _NAME_CHARACTERS])
