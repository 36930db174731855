"""Summaries: what a role's baseline contains, for a reader. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from enum import IntEnum, auto
from typing import Final

from msgspec import Struct

from flowwarden.monitor.baseline.baseline import (
    DAYS_SEEN,
    SHOWN,
    Edge,
    baseline,
    bursts_of,
    guessed_at,
    keys_before,
)
from flowwarden.monitor.baseline.shown import OUTSIDE, edge_of_number
from flowwarden.monitor.traffic import usual_volume
from flowwarden.network.addresses import PeerClass
from flowwarden.network.services import ADMIN_PORTS, DATABASE_PORTS, WEB
from flowwarden.state.sets import DAY, HOUR, Sets

PLAIN: Final = WEB | {53, 123}
"""Ports of the internet that most hosts use: the web, DNS and NTP."""


class Gravity(IntEnum):
    """How much a line matters to a reader who looks for an intruder, gravest first."""

    REACHED = auto()
    """Opened from outside at an administration or database port."""
    ADMINISTERS_OUTSIDE = auto()
    ADMINISTERS = auto()
    BURSTS = auto()
    """Many small sessions at once with an internal database, as of a host that guesses passwords."""
    SENDS = auto()
    """Goes out from a role that serves a database, or in large amounts."""
    GOES_OUT = auto()
    """On a port of the internet that few hosts use."""
    PLAIN = auto()
    """On one that most hosts use."""
    REFUSED = auto()


class Line(Struct, frozen=True, kw_only=True):
    """An edge of a role, over the days on which it was seen."""

    edge: Edge
    gravity: Gravity
    days: int
    first: int
    last: int
    """Days since 1970."""
    burst_days: int = 0
    """On how many days it had many small sessions at once, as of a host that guesses passwords."""
    guessed_days: int = 0
    """On how many days passwords were guessed at the port."""


class RoleSummary(Struct, frozen=True, kw_only=True):
    """What is learned of a role."""

    role: str
    first: int
    days: int
    """The first day, and the number of days, on which anything was learned."""
    learning: bool
    databases: tuple[int, ...] = ()
    """Ports on which it serves a database."""
    lines: tuple[Line, ...] = ()
    """Gravest first."""
    sent: Mapping[tuple[PeerClass, int], int] = {}
    """The most bytes that a host sent, by peer class and span (seconds), rounded up to a power of two."""

    @property
    def gravity(self) -> tuple[int, int, str]:
        """A key that sorts roles, gravest first."""
        first = min((each.gravity for each in self.lines), default=Gravity.REFUSED)
        return first, -sum(each.gravity == first for each in self.lines), self.role


def keys_of(role: str, day: int) -> list[str]:
    """The items of a role that a summary on a day (since 1970) needs."""
    return [*keys_before(role, day), *usual_volume.keys(role, day)]


def summary_of(role: str, day: int, items: Mapping[str, Sets]) -> RoleSummary:
    """The summary of a role on a day, from the existing items among those of `keys_of`."""
    keys = keys_before(role, day)
    own = {key: items[key] for key in keys if key in items}
    learned = baseline(day, keys, own)
    databases = tuple(sorted(port for port, seen in learned.days_serving.items() if seen >= DAYS_SEEN))
    days: defaultdict[int, list[int]] = defaultdict(list)
    for key, sets in own.items():
        for number in sets.get(SHOWN, ()):
            days[number].append(keys[key])
    edges = {edge: seen for number, seen in days.items() if (edge := edge_of_number(number)) is not None}
    bursts = dict(zip(edges, learned.days_of_all(map(bursts_of, edges)), strict=True))
    guesses = dict(zip(edges, learned.days_of_all(guessed_at(each.port) for each in edges), strict=True))
    lines = [
        Line(
            edge=edge,
            gravity=_gravity(edge, serves=bool(databases)),
            days=len(seen),
            first=min(seen),
            last=max(seen),
            burst_days=bursts[edge] if edge.direction == "out" else 0,
            guessed_days=guesses[edge] if edge.direction == "in" else 0,
        )
        for edge, seen in edges.items()
        if bursts[edge] or not _is_plain_database(edge)
    ]
    return RoleSummary(
        role=role,
        first=learned.first,
        days=learned.days,
        learning=learned.learning,
        databases=databases,
        lines=tuple(sorted(lines, key=lambda each: (each.gravity, -each.days, each.edge))),
        sent=_sent([items[key] for key in usual_volume.keys(role, day) if key in items]),
    )


def _is_plain_database(edge: Edge) -> bool:
    """Whether a host uses an internal database, which matters only if it may guess passwords."""
    return edge.direction == "out" and edge.port in DATABASE_PORTS and edge.peer not in OUTSIDE


def _gravity(edge: Edge, *, serves: bool) -> Gravity:
    if edge.direction == "refused":
        return Gravity.REFUSED
    if edge.direction == "in":
        return Gravity.REACHED
    if edge.port in ADMIN_PORTS:
        return Gravity.ADMINISTERS_OUTSIDE if edge.peer in OUTSIDE else Gravity.ADMINISTERS
    if edge.peer not in OUTSIDE:
        return Gravity.BURSTS
    if edge.port not in PLAIN:
        return Gravity.SENDS if serves else Gravity.GOES_OUT
    return Gravity.SENDS if serves and edge.port in WEB else Gravity.PLAIN


def _sent(items: list[Sets]) -> dict[tuple[PeerClass, int], int]:
    found = {
        (outside, span): usual_volume.most(items, outside, span)
        for outside in (PeerClass.INTERNET, PeerClass.AWS_SERVICE)
        for span in (HOUR, DAY)
    }
    return {each: size for each, size in found.items() if size}
