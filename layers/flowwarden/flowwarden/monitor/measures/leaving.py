"""What the detectors of hosts that should only answer measured: databases, and listener-only hosts."""

from __future__ import annotations

from typing import Final

from flowwarden.monitor.baseline.peers import edge_of
from flowwarden.monitor.baseline.profile import RoleProfile
from flowwarden.monitor.detectors import unexpected_egress
from flowwarden.monitor.measured import Measured
from flowwarden.monitor.measures import role_amounts
from flowwarden.monitor.measures.asked import Answer, Asked, unsure
from flowwarden.monitor.measures.hosts import host_of, not_inspected
from flowwarden.monitor.traffic.host_activity import HostActivity, is_needless
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.host_set import host_set
from flowwarden.network.services import DATABASE_PORTS
from flowwarden.records.model import Action

_OTHERS: Final = "its client opened more new connections than are inspected"


def database(asked: Asked) -> Answer:
    """For `database-egress`."""
    host, edge = host_of(asked), edge_of(asked.directed)
    why = "" if host else not_inspected(asked)
    if edge is None or edge.direction == "in":
        return Answer(why_not=why or "it has no service port, or was logged at the server's interface")
    profile = _profile(asked)
    serves = role_amounts.served(profile, now=bool(host and host.databases))
    if not serves.value:
        return Answer(why_not="the role of its client serves no database")
    if not serves.reached:
        return Answer((serves,), why)
    new = role_amounts.earlier(profile, edge, "the role opened such a connection")
    amounts = serves, new, role_amounts.replies(asked)
    return Answer(amounts, why if host is None else _database_why(host, asked.directed, amounts))


def _profile(asked: Asked) -> RoleProfile:
    return asked.view.client_of(asked.directed)


def _database_why(host: HostActivity, directed: DirectedFlow, amounts: tuple[Measured, ...]) -> str:
    port, server = directed.service_port, directed.server_class
    if server is PeerClass.OWN and port in DATABASE_PORTS:
        return "it leads to a database of another of your hosts, as a replica's does"
    if host.learning and not is_needless(directed.flow.protocol, port, server):
        return "the role of its client is being learned, and databases need such connections"
    return _left_out(host, directed, amounts)


def _left_out(host: HostActivity, directed: DirectedFlow, amounts: tuple[Measured, ...]) -> str:
    """Why a connection does not count although all conditions are met."""
    place = directed.server, directed.flow.protocol, directed.service_port
    inspected = any((each.server, each.protocol, each.port) == place for each in host.contacts)
    return _OTHERS if all(each.reached for each in amounts) and not inspected else ""


def unexpected(asked: Asked) -> Answer:
    """For `unexpected-egress`."""
    directed = asked.directed
    if directed.server_class is not PeerClass.INTERNET:
        return Answer(why_not="its server is not on the internet")
    if unexpected_egress.is_declared(directed, host_set(asked.view.policy.listener_only)):
        return Answer(why_not=_declared(directed) or unsure(asked))
    host, edge = host_of(asked), edge_of(directed)
    why = "" if host else not_inspected(asked)
    profile = _profile(asked)
    if edge is None or edge.direction == "in" or profile.baseline is None:
        return Answer(why_not=why or "the role of its client is unknown, and the policy does not declare it")
    listens = role_amounts.listens(profile)
    if not all(each.reached for each in listens):
        return Answer(listens, "the role of its client is not listener-only")
    amounts = *listens, *role_amounts.age(profile), role_amounts.replies(asked)
    return Answer(amounts, why if host is None else _left_out(host, directed, amounts))


def _declared(directed: DirectedFlow) -> str:
    rejected = directed.flow.action is Action.REJECT
    return "the policy declares its client listener-only, but the connection was rejected" if rejected else ""
