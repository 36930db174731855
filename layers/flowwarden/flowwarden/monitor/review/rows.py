"""The rows of the report on learning: what is learned of roles, a line for each service. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import Struct

from flowwarden.monitor.baseline.known_roles import KnownRole
from flowwarden.monitor.baseline.peers import DYNAMIC
from flowwarden.monitor.baseline.shown import network_name
from flowwarden.monitor.review.summary import Gravity, Line, RoleSummary
from flowwarden.monitor.traffic import usual_volume
from flowwarden.network.addresses import PeerClass
from flowwarden.network.services import describe_service
from flowwarden.notify.text import plural
from flowwarden.printable import one_line
from flowwarden.state.sets import DAY, HOUR

RECENT_DAYS: Final = 3
"""Days without a connection before a line says when the last one was: a weekend is shorter."""
LARGE: Final = 500_000_000
"""Bytes within an hour that are listed before ordinary traffic, as `egress-volume` reports by default."""
MOST_PEERS: Final = 8
"""Peers that a line names."""
MOST_NAMES: Final = 2
"""Roles that a line names for a network."""

SECTIONS: Final = {
    Gravity.REACHED: "Reached from outside",
    Gravity.ADMINISTERS_OUTSIDE: "Administers",
    Gravity.ADMINISTERS: "Administers",
    Gravity.BURSTS: "Opens many small sessions at once",
    Gravity.SENDS: "Goes out",
    Gravity.GOES_OUT: "Goes out",
    Gravity.PLAIN: "Goes out",
    Gravity.REFUSED: "Is refused",
}
"""Headings, in this order."""
_KINDS: Final = {
    "Reached from outside": "reached",
    "Administers": "administers",
    "Opens many small sessions at once": "bursts",
    "Goes out": "goes-out",
    "Is refused": "refused",
}
_CLASSES: Final = {
    PeerClass.INTERNET: "the internet",
    PeerClass.PARTNER: "partner networks",
    PeerClass.AWS_SERVICE: "AWS services",
    PeerClass.LOCAL: "link-local or multicast addresses",
}

type Names = Mapping[str, Sequence[str]]
"""Roles by the networks of their hosts."""


class Row(Struct, frozen=True, kw_only=True):
    """A service of a role, or what the role sends out."""

    role: str
    gravity: Gravity
    text: str
    """One line."""
    document: Mapping[str, Any]

    @property
    def section(self) -> str:
        """Its heading."""
        return SECTIONS[self.gravity]


def names_of(roles: Iterable[KnownRole]) -> Names:
    """The roles by network."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for each in sorted(roles, key=lambda one: one.role):
        for number in each.networks:
            if network := network_name(number):
                found[network].append(each.role)
    return found


def rows_of(role: RoleSummary, names: Names) -> list[Row]:
    """The rows of a role, gravest first."""
    together: defaultdict[tuple[object, ...], list[Line]] = defaultdict(list)
    for line in role.lines:
        edge = line.edge
        together[line.gravity, edge.direction, edge.protocol, edge.port].append(line)
    latest = max((each.last for each in role.lines), default=0)
    rows = [_row(role.role, lines, names, latest) for lines in together.values()]
    rows += [_sent(role.role, outside, sizes) for outside, sizes in _sizes(role).items()]
    return sorted(rows, key=lambda each: each.gravity)


def _row(role: str, lines: Sequence[Line], names: Names, latest: int) -> Row:
    edge = lines[0].edge
    service = describe_service(edge.protocol, edge.port) + (" and above" if edge.port == DYNAMIC else "")
    days, bursts, guesses = (
        max(getattr(each, name) for each in lines) for name in ("days", "burst_days", "guessed_days")
    )
    first, last = min(each.first for each in lines), max(each.last for each in lines)
    gone = f", last {date(last)}" if last < latest - RECENT_DAYS else ""
    peers = [each.edge.peer for each in lines]
    whence = "from" if edge.direction == "in" else "to"
    notes = [
        f"{service}, {whence} {_listed(peers, names)}: {plural(days, 'day')} since {date(first)}{gone}",
        f"bursts of small sessions on {plural(bursts, 'day')}" if bursts else "",
        f"passwords guessed on {plural(guesses, 'day')}" if guesses else "",
    ]
    return Row(
        role=role,
        gravity=lines[0].gravity,
        text="; ".join(filter(None, notes)),
        document={
            "kind": _KINDS[SECTIONS[lines[0].gravity]], "service": service, "protocol": edge.protocol,
            "port": edge.port, "peers": peers,
            "days": days, "first": date(first), "last": date(last), "burst_days": bursts,
            "guessed_days": guesses,
        },
    )  # fmt: skip


def _listed(peers: Sequence[str], names: Names) -> str:
    shown = ", ".join(_peer(each, names) for each in peers[:MOST_PEERS])
    rest = len(peers) - MOST_PEERS
    return f"{shown} and {rest} more" if rest > 0 else shown


def _peer(peer: str, names: Names) -> str:
    """A network with the roles of its hosts, or the words for a class."""
    if "/" not in peer:
        return _CLASSES.get(PeerClass(peer), peer)
    roles = [one_line(each) for each in names.get(peer, ())]
    if not roles:
        return peer
    rest = len(roles) - MOST_NAMES
    return f"{peer} ({', '.join(roles[:MOST_NAMES])}{f' and {rest} more' if rest > 0 else ''})"


def _sizes(role: RoleSummary) -> dict[PeerClass, dict[int, int]]:
    found: defaultdict[PeerClass, dict[int, int]] = defaultdict(dict)
    for (outside, span), size in role.sent.items():
        found[outside][span] = size
    return found


def _sent(role: str, outside: PeerClass, sizes: Mapping[int, int]) -> Row:
    is_large = sizes.get(HOUR, 0) >= LARGE or sizes.get(DAY, 0) >= usual_volume.DAY_FACTOR * LARGE
    spans = {HOUR: "an hour", DAY: "a day"}
    most = " and ".join(f"{amount(size)} within {spans[span]}" for span, size in sorted(sizes.items()))
    return Row(
        role=role,
        gravity=Gravity.SENDS if is_large else Gravity.PLAIN,
        text=f"a host sent up to {most} to {_CLASSES[outside]}",
        document={
            "kind": "sends", "peers": [outside.value], "bytes_hour": sizes.get(HOUR),
            "bytes_day": sizes.get(DAY),
        },
    )  # fmt: skip


def amount(size: int) -> str:
    """Bytes as `1.1 GB` or `537 MB`."""
    billion, million = 1_000_000_000, 1_000_000
    return f"{size / billion:,.1f} GB" if size >= billion else f"{size / million:,.0f} MB"


def date(day: int) -> str:
    """A day since 1970 as `2026-11-24`; one that no calendar contains as a number."""
    try:
        return datetime.fromtimestamp(day * DAY, UTC).strftime("%Y-%m-%d")
    except (OverflowError, OSError, ValueError):
        return str(day)
