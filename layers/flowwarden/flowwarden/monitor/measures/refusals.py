"""What the detectors of rejected connections measured about a record."""

from __future__ import annotations

import numpy as np

from flowwarden.monitor.detectors import nacl_blocks_replies
from flowwarden.monitor.measured import Measured
from flowwarden.monitor.measures.asked import Answer, Asked, client_outside
from flowwarden.monitor.traffic.refusal import Refusal
from flowwarden.network.addresses import PeerClass
from flowwarden.network.initiator import Initiator
from flowwarden.records.model import Action


def _refusal(asked: Asked) -> Refusal | None:
    found = (asked.view.rejections.refusal(row) for row in asked.rows.tolist())
    return next((each for each in found if each is not None), None)


def _not_refused(asked: Asked) -> str:
    """Why a record is no rejected connection of one of your hosts."""
    directed = asked.directed
    if directed.flow.action is not Action.REJECT:
        return "it was not rejected"
    if why := client_outside(asked):
        return why
    if directed.verdict.initiator is not Initiator.SOURCE:
        return "it is a rejected reply, not an attempt"
    return "it is a late packet of an expired connection, or leads to no other host"


def blocked(asked: Asked) -> Answer:
    """For `blocked-connection`."""
    one = _refusal(asked)
    if one is None:
        return Answer(why_not=_not_refused(asked))
    return Answer((_packets(asked, one),), _elsewhere(one))


def _packets(asked: Asked, one: Refusal) -> Measured:
    return _in_batch(asked, "rejected packets of the host to the service", one.packets, "blocked_packets")


def _in_batch(asked: Asked, what: str, value: int, threshold: str) -> Measured:
    limit = getattr(asked.thresholds, threshold)
    return Measured(what=f"{what}, in the batch", value=value, limit=limit, threshold=threshold)


def _elsewhere(one: Refusal) -> str:
    if one.probes:
        return "host-probing reports its client"
    if one.outbound:
        return "the client's own outbound rules explain it, which egress-denied reports"
    if one.service:
        return "a service that rejects many hosts explains it, which service-blocked reports"
    return "rules usually refuse such connections to the role of its client" if one.usual else ""


def probing(asked: Asked) -> Answer:
    """For `host-probing`."""
    one = _refusal(asked)
    if one is None:
        return Answer(why_not=_not_refused(asked))
    pairs = "host/port pairs that rejected the host"
    return Answer((_in_batch(asked, pairs, one.pairs, "probing_destinations"),))


def service(asked: Asked) -> Answer:
    """For `service-blocked`."""
    one = _refusal(asked)
    if one is None:
        return Answer(why_not=_not_refused(asked))
    clients = _in_batch(asked, "hosts that the service rejects", one.clients, "service_blocked_clients")
    inside = asked.directed.server_class is PeerClass.OWN
    return Answer((clients,), "" if inside else "its server is not one of your hosts")


def egress_denied(asked: Asked) -> Answer:
    """For `egress-denied`."""
    one = _refusal(asked)
    if one is None:
        return Answer(why_not=_not_refused(asked))
    why = "" if one.outbound else "the client's own outbound rules do not explain it"
    return Answer((_packets(asked, one),), "host-probing reports its client" if one.probes else why)


def replies(asked: Asked) -> Answer:
    """For `nacl-blocks-replies`."""
    view = asked.view
    groups = nacl_blocks_replies.replies(view) if len(view.rejected) else ()
    here = next((rows for rows in groups if np.isin(asked.rows, rows).any()), None)
    if here is None:
        return Answer(why_not="it is not a rejected reply to an accepted request")
    return Answer((nacl_blocks_replies.measured(view.directions, here, asked.thresholds),))
