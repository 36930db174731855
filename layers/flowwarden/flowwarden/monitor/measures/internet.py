"""What the detectors of traffic with the internet, and of pings, measured about a record."""

from __future__ import annotations

import numpy as np

from flowwarden.monitor.baseline.peers import DYNAMIC, edge_of
from flowwarden.monitor.detectors import (
    egress_volume,
    internet_brute_force,
    internet_to_admin_port,
    internet_to_private,
    new_egress_port,
    ping_sweep,
    reject_spike,
)
from flowwarden.monitor.measures import role_amounts
from flowwarden.monitor.measures.asked import Answer, Asked, client_outside, not_from_internet, other_client
from flowwarden.monitor.traffic import refused_sources
from flowwarden.monitor.traffic.host_uploads import Sources, ends_of
from flowwarden.monitor.traffic.new_egress import recent
from flowwarden.monitor.traffic.summed_uploads import summed
from flowwarden.monitor.traffic.uploads import counted
from flowwarden.monitor.traffic.usual_volume import comparable, keys, limit, measured, usual
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.host_set import host_set
from flowwarden.network.services import ADMIN_PORTS, DATABASE_PORTS, ICMP, ICMPV6, TCP
from flowwarden.records.model import Action
from flowwarden.state.schema import NEW_EGRESS
from flowwarden.state.sets import DAY


def _moment(asked: Asked) -> int:
    start, now = asked.directed.flow.start, asked.view.now
    return now if start is None else min(start, now)


def _is_usual(asked: Asked) -> bool:
    """Whether such contacts are usual for the role of the host at the interface."""
    edge, flow = edge_of(asked.directed), asked.directed.flow
    return edge is not None and asked.view.profile(flow.interface_id, _moment(asked)).knows(edge)


def scanner(asked: Asked) -> Answer:
    """For `scanner-connected`."""
    directed, view = asked.directed, asked.view
    if directed.client_class is not PeerClass.INTERNET:
        return Answer(why_not="its client is not on the internet")
    places = refused_sources.known_refusals(view.state, directed.client, _moment(asked) // DAY)
    refusals = refused_sources.measured(places, asked.thresholds.scanner_destinations)
    why = "it was rejected" if directed.flow.action is Action.REJECT else ""
    if not why and _is_usual(asked):
        why = "the internet usually reaches this service of the role"
    return Answer((refusals,), why)


def to_private(asked: Asked) -> Answer:
    """For `internet-to-private`."""
    private, directed = asked.view.policy.private_subnets, asked.directed
    if not private:
        return Answer(why_not="the policy declares no private_subnets")
    if why := not_from_internet(asked):
        return Answer(why_not=why)
    if not host_set(private).hold(directed.server, directed.flow.subnet_id):
        return Answer(why_not="its server is in none of the policy's private_subnets")
    replies = internet_to_private.measured(asked.view, int(asked.rows[0]))
    return Answer((replies,), _rejected(directed))


def to_admin_port(asked: Asked) -> Answer:
    """For `internet-to-admin-port`."""
    if why := not_from_internet(asked):
        return Answer(why_not=why)
    if asked.directed.service_port not in internet_to_admin_port.PORTS:
        return Answer(why_not="its service port is none for administration or databases")
    edge, flow = edge_of(asked.directed), asked.directed.flow
    if edge is None or edge.direction == "out":
        return Answer(why_not="it was logged at another interface than the server's")
    profile = asked.view.profile(flow.interface_id, _moment(asked))
    new = role_amounts.earlier(profile, edge, "the internet reached this port of the role")
    age = role_amounts.age(profile, ", for a page")
    return Answer((new, role_amounts.replies(asked), *age), _rejected(asked.directed))


def _rejected(directed: DirectedFlow) -> str:
    return "the connection was rejected" if directed.flow.action is Action.REJECT else ""


def brute_force(asked: Asked) -> Answer:
    """For `internet-brute-force`."""
    if why := not_from_internet(asked):
        return Answer(why_not=why)
    directed, view = asked.directed, asked.view
    if directed.service_port not in ADMIN_PORTS | DATABASE_PORTS:
        return Answer(why_not="its service port is none for administration or databases")
    scope = view.profile(directed.flow.interface_id, _moment(asked)).scope
    place = internet_brute_force.Place(_moment(asked) // DAY, scope, directed.server)
    end = directed.client, directed.service_port or 0
    return Answer((internet_brute_force.known(view.state, place, end, asked.thresholds),))


def new_port(asked: Asked) -> Answer:
    """For `new-egress-port`."""
    directed, view = asked.directed, asked.view
    if directed.server_class is not PeerClass.INTERNET or directed.flow.protocol != TCP:
        return Answer(why_not="it is no TCP connection to the internet")
    if why := client_outside(asked):
        return Answer(why_not=why)
    profile = view.client_of(directed)
    port = min(directed.service_port or 0, DYNAMIC)
    if not new_egress_port.is_reported(profile, port):
        return Answer(why_not=_not_reported(profile.learning))
    if _is_usual(asked):
        return Answer(why_not="the role usually uses this port of the internet")
    slots = recent(view.state.known(NEW_EGRESS.key_of(view.now // DAY, profile.role, port)), view.now)
    return Answer((new_egress_port.measured(len(slots), asked.thresholds.new_egress_slots),))


def _not_reported(learning: bool) -> str:  # noqa: FBT001 - the only argument
    if learning:
        return "the role of its client is unknown or being learned, and worms do not use the port"
    return "other detectors report new connections of listener-only roles, databases and unknown hosts"


def pings(asked: Asked) -> Answer:
    """For `ping-sweep`."""
    view, directed = asked.view, asked.directed
    if directed.flow.protocol not in {ICMP, ICMPV6}:
        return Answer(why_not="it is no ICMP")
    protocol = view.records.flows["protocol"]
    (every,) = ((protocol == ICMP) | (protocol == ICMPV6)).nonzero()
    rows = ping_sweep.unanswered(view.directions, every)
    if not np.isin(asked.rows, rows).any():
        return Answer(why_not="it is no unanswered ping of one of your hosts to another")
    clients = view.hosts_of(view.directions.client, rows)
    (own,) = view.hosts_of(view.directions.client, asked.rows[:1]).tolist()
    return Answer((ping_sweep.measured(view, rows[clients == own], asked.thresholds.scan_hour),))


def spike(asked: Asked) -> Answer:
    """For `reject-spike`."""
    directed, view = asked.directed, asked.view
    if not np.isin(asked.rows, view.noise).any():
        return Answer(why_not="it is no rejected attempt from the internet")
    place = directed.flow.interface_id or "", directed.server
    slot, times = _moment(asked) // reject_spike.SLOT, asked.thresholds.spike_factor
    known = reject_spike.known(view.state, place, slot, times)
    if known is None:
        return Answer(why_not=f"fewer than {reject_spike.LEAST} attempts at the host within 10 min")
    return Answer((known,), "the count must also be unusual compared with the spread of the day before")


def volume(asked: Asked) -> Answer:
    """For `egress-volume`."""
    view, directed = asked.view, asked.directed
    if directed.server_class not in {PeerClass.INTERNET, PeerClass.AWS_SERVICE}:
        return Answer(why_not="its server is one of your hosts")
    if why := other_client(asked):
        return Answer(why_not=why)
    sources = Sources(view.directions, view.index, view.profiles, view.now)
    rows = counted(view.directions, egress_volume.rows_of(view, view.state))
    uploads = sources.largest(rows, host_set(view.policy.exempt))
    upload = next((each for each in uploads if np.isin(asked.rows, each.rows).any()), None)
    if upload is None:
        return Answer(
            why_not="it sends nothing out, is too small for the sample, or its interface is unknown"
        )
    megabytes, role, place = asked.thresholds.upload_megabytes, upload.profile.role, upload.place
    sums = summed(view.state, upload, megabytes).sums()
    ends = ends_of(view.directions, upload)
    items = comparable(view.state.read_once(keys(role, place.day)).values(), ends, place.outside)
    amounts = (
        measured(sent.bytes, span, limit(usual(items, place.outside, span), megabytes, span))
        for span, sent in sums.items()
    )
    return Answer((*amounts,), "the role of its client is being learned" if upload.profile.learning else "")
