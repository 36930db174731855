"""The configured sinks beside the stack's SNS topics, by route and by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from flowwarden.notify.alert import Route
from flowwarden.notify.ports import Sink

type ByRoute = Mapping[Route, Sequence[Sink]]


class MoreSinks(Struct, frozen=True, kw_only=True):
    """The configured sinks."""

    by_route: ByRoute = {}
    by_name: Mapping[str, Sink] = {}

    def routes(self, **topics: Sink) -> dict[Route, tuple[Sink, ...]]:
        """The sinks of each of these routes, by their names in lower case: its topic, and these."""
        return {
            Route[name.upper()]: (topic, *self.by_route.get(Route[name.upper()], ()))
            for name, topic in topics.items()
        }


NONE = MoreSinks()
