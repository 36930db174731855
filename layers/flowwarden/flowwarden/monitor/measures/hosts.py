"""What the detectors that inspect active hosts measured about the client of a record."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from flowwarden.monitor.baseline.peers import edge_of
from flowwarden.monitor.detectors import brute_force, lateral_movement, scan
from flowwarden.monitor.measured import Measured
from flowwarden.monitor.measures.asked import Answer, Asked, Measure, client_outside
from flowwarden.monitor.traffic.host_activity import HostActivity
from flowwarden.network.roles import is_middlebox
from flowwarden.policy.detection import Thresholds

LEARNING: Final = "the role of its client is being learned, so all such connections are new"


def host_of(asked: Asked) -> HostActivity | None:
    """The inspected activity of the record's client; None if the client was not inspected."""
    directed = asked.directed
    role = asked.view.client_of(directed).role
    alike = [each for each in asked.view.active_hosts.inspected if each.client == directed.client]
    wanted = {*asked.rows.tolist()}
    counts = (each for each in alike if any(wanted.intersection(one.rows.tolist()) for one in each.contacts))
    return next(counts, None) or next((each for each in alike if each.role == role), None)


def not_inspected(asked: Asked) -> str:
    """Why the client of the record was not inspected."""
    if why := client_outside(asked):
        return why
    directed, view = asked.directed, asked.view
    interface = view.described.get(directed.flow.interface_id or "")
    if interface is not None and is_middlebox(interface):
        return f"its interface forwards the traffic of other hosts ({interface.kind})"
    edge = edge_of(directed)
    if edge is None:
        return "it has no protocol or no service port"
    if edge.direction == "in":
        return "it was logged at the server's interface; what a client does is judged at the client's"
    if view.client_of(directed).knows(edge):
        return "such connections are usual for the role of its client"
    return "its client has no new connections in the batch that count"


def _asks(
    measure: Callable[[HostActivity, Thresholds], Iterable[Measured]],
    why_not: Callable[[HostActivity], str],
) -> Measure:
    """Asks a detector about the activity of the record's client."""

    def asks(asked: Asked) -> Answer:
        host = host_of(asked)
        if host is None:
            return Answer(why_not=not_inspected(asked))
        return Answer((*measure(host, asked.thresholds),), why_not(host))

    return asks


def _scan_why(host: HostActivity) -> str:
    return "" if scan.fails(host) else "no new connection of its client failed in this batch"


def _lateral_why(host: HostActivity) -> str:
    if host.learning_all:
        return LEARNING
    return "" if host.administering else "its client opened no such connection in this batch"


def _learning(host: HostActivity) -> str:
    return LEARNING if host.learning_all else ""


SCAN: Final = _asks(scan.measured, _scan_why)
LATERAL_MOVEMENT: Final = _asks(
    lambda host, thresholds: [lateral_movement.measured(host, thresholds)], _lateral_why
)
BRUTE_FORCE: Final = _asks(brute_force.measured, _learning)
