"""The charts of who talks to whom, and of rejected traffic. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log10
from typing import Any, Final

from flowwarden.network.addresses import PeerClass
from flowwarden.replay.observed import Conversation, Observed, Ranking
from flowwarden_cli.report.chart import (
    ACCEPTED,
    INK,
    REJECTED,
    Chart,
    category,
    compact,
    height_of,
    label,
    number,
    whole_spec,
)

MOST_ROLES: Final = 20
"""Roles that are drawn; the table has more."""
TOP: Final = 10
"""Rows of a ranking that are drawn."""
ROOM: Final = 1.2
"""The axis is longer than the longest bar, by the space of its label."""
PEERS: Final[dict[str, str]] = {
    PeerClass.OWN: "own", PeerClass.PARTNER: "partner", PeerClass.AWS_SERVICE: "AWS",
    PeerClass.INTERNET: "internet", PeerClass.LOCAL: "local",
}  # fmt: skip
"""The words for classes of peers."""
_HEADER: Final = ("role", "direction", "accepted", "rejected", "bytes", "services")


def conversations(seen: Observed) -> Iterator[Chart]:
    """Who talks to whom: accepted and rejected records of each role, by class of peers and direction."""
    for name, color in (("accepted", ACCEPTED), ("rejected", REJECTED)):
        some = [each for each in seen.conversations if getattr(each, name)]
        if some:
            yield _matrix(name, color, some)


def direction(one: Conversation) -> str:
    """The direction in words, such as `from internet`."""
    peer = PEERS.get(one.peer) or label(one.peer)
    return f"from {peer}" if one.direction == "in" else f"to {peer}"


def _matrix(name: str, color: str, conversations: Sequence[Conversation]) -> Chart:
    roles = [*dict.fromkeys(label(each.role) for each in conversations)][:MOST_ROLES]
    places = [f"{way} {peer}" for way in ("from", "to") for peer in PEERS.values()]
    used = {direction(each) for each in conversations}
    description = (
        f"{name.capitalize()} records of {len(roles)} roles. Columns are the peers that connected to the "
        "role (from), and the peers that the role connected to (to). Darker cells have more records."
    )
    values = [_cell(each, getattr(each, name)) for each in conversations if label(each.role) in roles]
    most = max((each["size"] for each in values), default=1)
    spec = whole_spec(
        description, height_of(len(roles)), values,
        encoding={
            "x": category(
                "way", axis={"labelAngle": -90, "orient": "top"},
                scale={"domain": [each for each in places if each in used]},
            ),
            "y": category("role", scale={"domain": roles}),
        },
        layer=[
            _cells(name, color, most),
            {"mark": {"type": "text", "fill": INK}, "encoding": {"text": category("short")}},
        ],
    )  # fmt: skip
    rows = [
        (each.role, direction(each), each.accepted, each.rejected, each.bytes, ", ".join(each.services))
        for each in conversations
    ]
    return Chart(
        name=f"conversations-{name}", title=f"{name.capitalize()} records by role, peers and direction",
        description=description, spec=spec, header=_HEADER, rows=rows,
    )  # fmt: skip


def _cells(name: str, color: str, most: float) -> dict[str, Any]:
    return {
        "mark": {"type": "rect", "fill": color, "stroke": "var(--line)"},
        "encoding": {
            "fillOpacity": number(
                "size", None, scale={"domain": [0, most], "range": [0.04, 0.6]}, legend=None
            ),
            "tooltip": [
                category("role", "role"), category("way", "direction"),
                number("records", f"{name} records", format=","), category("services", "services"),
            ],
        },
    }  # fmt: skip


def _cell(one: Conversation, records: int) -> dict[str, Any]:
    return {
        "role": label(one.role), "way": direction(one), "records": records, "size": log10(records + 1),
        "short": compact(records), "services": label(", ".join(one.services)),
    }  # fmt: skip


def rejected(seen: Observed) -> Iterator[Chart]:
    """The ports, sources and targets with the most rejected records."""
    rankings = {
        "ports": seen.rejected_ports, "sources": seen.rejected_sources, "targets": seen.rejected_targets,
    }  # fmt: skip
    for name, ranking in rankings.items():
        if ranking.rows:
            yield _ranked(name, ranking)


def _ranked(name: str, ranking: Ranking) -> Chart:
    values = [
        {"name": label(each.name), "records": each.records, "short": compact(each.records)}
        for each in ranking.rows[:TOP]
    ]
    most = ranking.rows[0].records * ROOM
    description = (
        f"The {name} with the most rejected records. First: {values[0]['name']}, {values[0]['records']:,}."
    )
    shared = {
        "y": category("name"),
        "x": number(
            "records", "rejected records", axis={"format": "~s", "tickCount": 4}, scale={"domain": [0, most]}
        ),
    }
    spec = whole_spec(
        description, height_of(len(values)), values,
        encoding=shared,
        layer=[
            {
                "mark": {"type": "bar", "fill": REJECTED},
                "encoding": {
                    "tooltip": [category("name", name[:-1]), number("records", "records", format=",")]
                },
            },
            {
                "mark": {"type": "text", "fill": INK, "align": "left", "dx": 4},
                "encoding": {"text": category("short")},
            },
        ],
    )  # fmt: skip
    return Chart(
        name=f"rejected-{name}", title=f"Rejected {name}", description=description, spec=spec,
        header=(name[:-1], "rejected records"), rows=[(each.name, each.records) for each in ranking.rows],
    )  # fmt: skip
