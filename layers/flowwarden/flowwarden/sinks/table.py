"""The table of sinks beside the stack's SNS topics, and how settings configure them. Pure.

The setting is one text, such as `pagerduty=flow-warden/pagerduty;routes=pagerduty=pages,operations`: for each
sink the value of its parameter, which is empty if it is off, and routes that differ from the defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from flowwarden.notify.alert import Route
from flowwarden.sinks import amazon_q, eventbridge, pagerduty, security_hub, slack, teams
from flowwarden.sinks.base import SinkKind

SINKS: Final = (
    pagerduty.KIND, slack.KIND, teams.KIND, amazon_q.KIND, eventbridge.KIND, security_hub.KIND,
)  # fmt: skip
BY_NAME: Final[Mapping[str, SinkKind]] = {each.name: each for each in SINKS}
NEED_END: Final = frozenset(each.name for each in SINKS if each.needs_end)
"""The names of the sinks whose services show an incident as open until they get its end."""
ROUTES: Final[Mapping[str, Route]] = {
    "pages": Route.PAGES,
    "operations": Route.OPERATIONS,
    "digests": Route.DIGEST,
}
"""The routes of sinks, by the words of the parameter `SinkRoutes`."""
_ROUTES: Final = "routes"


class Configured(Struct, frozen=True):
    """A sink that is on."""

    kind: SinkKind
    value: str
    """The value of its parameter."""
    routes: tuple[Route, ...]


def configured(text: str) -> tuple[Configured, ...]:
    """The sinks that a setting switches on, in the order of the table. Unknown names are ignored.

    Raises:
        ValueError: the text, or its routes, cannot be read; the message says why.
    """
    values = _pairs(text, ";")
    chosen = _chosen(values.pop(_ROUTES, ""))
    return tuple(
        Configured(each, value, chosen.get(each.name, each.routes))
        for each in SINKS
        if (value := values.get(each.name, ""))
    )


def routed(text: str) -> tuple[str, ...]:
    """The names of the sinks for which the parameter `SinkRoutes` has routes. Raises ValueError."""
    return tuple(_chosen(text))


def _chosen(text: str) -> dict[str, tuple[Route, ...]]:
    """The routes by the names of sinks."""
    return {name: _routes_of(name, words) for name, words in _pairs(text, " ").items()}


def _pairs(text: str, separator: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in filter(None, text.split(separator)):
        name, equals, value = part.partition("=")
        if not equals:
            raise ValueError(f"{part!r}: write NAME=VALUE")
        if name in found:
            raise ValueError(f"{name!r} is there twice; write it once")
        found[name] = value
    return found


def _routes_of(name: str, words: str) -> tuple[Route, ...]:
    if name not in BY_NAME:
        raise ValueError(f"{name!r} is not a sink; write one of {', '.join(BY_NAME)}")
    unknown = [each for each in words.split(",") if each not in ROUTES]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is not a route; write {', '.join(ROUTES)}")
    return tuple(dict.fromkeys(ROUTES[each] for each in words.split(",")))
