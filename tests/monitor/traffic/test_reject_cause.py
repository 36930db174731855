"""The cause of a REJECT, as a table: what rejected the flow, as far as records show it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from flowwarden.monitor.detectors import blocked_connection, internet_rejects
from flowwarden.monitor.traffic.reject_cause import Cause, cause_of, likely_cause
from flowwarden.network.direction import DirectedFlow
from flowwarden.records.model import Action, Flow, FlowDirection
from tests.flows import directed, flow, rejected
from tests.monitor.batches import finding_with

blocked = finding_with(blocked_connection.DETECTOR)
noise = finding_with(internet_rejects.DETECTOR)

IN, OUT = FlowDirection.INGRESS, FlowDirection.EGRESS
CLIENT, SERVER, STRANGER = "10.0.1.20:40000", "10.0.2.30:5432", "203.0.113.9:40000"
REQUEST = {"tcp_flags": 2}
ANSWER = {"tcp_flags": 18}


def at(side: FlowDirection, *flows: Flow) -> Sequence[Flow]:
    """The flows: those in the direction of the first one have this side, the reverse ones the other side."""
    return [
        flow(
            f"{each.srcaddr}:{each.srcport}", f"{each.dstaddr}:{each.dstport}", action=each.action,
            tcp_flags=each.tcp_flags, protocol=each.protocol, reject_reason=each.reject_reason,
            flow_direction=side if each.srcaddr == flows[0].srcaddr else OUT if side is IN else IN,
        )
        for each in flows
    ]  # fmt: skip


def first(flows: Sequence[Flow]) -> DirectedFlow:
    """The first of a batch of flows."""
    return directed(*flows)[0]


REFUSED_REQUEST = rejected(CLIENT, SERVER, **REQUEST)
REFUSED_ANSWER = rejected(SERVER, CLIENT, **ANSWER)
BARE = {"tcp_flags": None}
TABLE = {
    "rejected at the server": (at(IN, REFUSED_REQUEST), Cause.UNDECIDED),
    "rejected at the client": (at(OUT, REFUSED_REQUEST), Cause.UNDECIDED),
    "from the internet": (at(IN, rejected(STRANGER, SERVER, **REQUEST)), Cause.NOISE),
    "from the internet, without flags": (at(IN, rejected(STRANGER, SERVER)), Cause.NOISE),
    "from the internet, ICMP": (at(IN, rejected("203.0.113.9:0", "10.0.2.30:0", protocol=1)), Cause.NOISE),
    "to the internet": (at(OUT, rejected(CLIENT, "203.0.113.9:443", **REQUEST)), Cause.UNDECIDED),
    "blocked public access": (
        at(IN, rejected(STRANGER, SERVER, **REQUEST, reject_reason="BPA")), Cause.BLOCK_PUBLIC_ACCESS,
    ),
    "unencrypted": (
        at(IN, rejected(CLIENT, SERVER, **REQUEST, reject_reason="EC")), Cause.ENCRYPTION_CONTROLS,
    ),
    "an unknown reject-reason": (
        at(IN, rejected(CLIENT, SERVER, **REQUEST, reject_reason="NEW")), Cause.UNDECIDED,
    ),
    "own reply": (at(OUT, REFUSED_ANSWER), Cause.OUTBOUND_ACL),
    "own reply to the internet": (at(OUT, rejected(SERVER, STRANGER, **ANSWER)), Cause.OUTBOUND_ACL),
    "own reply, with its request": (
        at(OUT, REFUSED_ANSWER, flow(CLIENT, SERVER, **REQUEST)), Cause.OUTBOUND_ACL,
    ),
    "reply to an own request": (
        at(IN, REFUSED_ANSWER, flow(CLIENT, SERVER, **REQUEST)), Cause.INBOUND_ACL,
    ),
    "a reply without a request: backscatter": (
        at(IN, rejected("203.0.113.9:443", CLIENT, **ANSWER)), Cause.UNDECIDED,
    ),
    "own reply, without flags": (
        at(OUT, rejected(SERVER, CLIENT, **BARE), flow(CLIENT, SERVER, **BARE)), Cause.OUTBOUND_ACL,
    ),
    "reply to an own request, without flags": (
        at(IN, rejected(SERVER, CLIENT, **BARE), flow(CLIENT, SERVER, **BARE)), Cause.INBOUND_ACL,
    ),
    "a reply after accepted replies, without flags": (
        at(
            IN, rejected(SERVER, CLIENT, **BARE), flow(SERVER, CLIENT, **BARE), flow(CLIENT, SERVER, **BARE),
        ),
        Cause.EXPIRED,
    ),
    "a reply with the request of another client port, without flags": (
        at(IN, rejected(SERVER, CLIENT, **BARE), flow("10.0.1.20:40001", SERVER, **BARE)), Cause.UNDECIDED,
    ),
    "data": (at(IN, rejected(CLIENT, SERVER, tcp_flags=0)), Cause.EXPIRED),
    "a FIN": (at(OUT, rejected(SERVER, CLIENT, tcp_flags=1)), Cause.EXPIRED),
    "a RST from the internet": (at(IN, rejected(STRANGER, SERVER, tcp_flags=4)), Cause.EXPIRED),
    "data with the SYN of another connection": (
        at(IN, rejected(CLIENT, SERVER, tcp_flags=0), flow(SERVER, "10.0.1.20:40001", **ANSWER)),
        Cause.EXPIRED,
    ),
    "a SYN on a reused tuple": (
        at(IN, REFUSED_REQUEST, flow(CLIENT, SERVER, **REQUEST)), Cause.UNDECIDED,
    ),
    "late UDP": (
        at(
            IN, rejected("10.0.2.30:53", CLIENT, protocol=17), flow(CLIENT, "10.0.2.30:53", protocol=17),
        ),
        Cause.UNDECIDED,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("flows", "cause"), TABLE.values(), ids=TABLE.keys())
def test_the_cause_of_a_reject(flows: Sequence[Flow], cause: Cause) -> None:
    """Determined from the record, and from the interface's other records."""
    assert cause_of(first(flows)) is cause


def test_every_cause_is_in_the_table() -> None:
    """No cause is missing."""
    assert {cause for _, cause in TABLE.values()} == set(Cause)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "rejected at the server",
            "inbound rules at the server: its security group or its subnet's network ACL",
        ),
        ("rejected at the client", "outbound rules at the client: its security group"),
        ("own reply", "network ACL at 10.0.2.30: its outbound rules"),
        ("reply to an own request", "network ACL at 10.0.1.20: its inbound rules"),
        ("unencrypted", "encryption controls"),
        ("blocked public access", "Block Public Access"),
        ("from the internet", "background noise"),
        ("data", "no longer tracks"),
    ],
)
def test_a_cause_is_described_in_words(name: str, words: str) -> None:
    """It names the rules to check."""
    assert words in likely_cause(first(TABLE[name][0]), "the client", "the server")


def test_without_a_side_the_rules_of_either_end_are_possible() -> None:
    """The logging interface is unknown."""
    (one,) = directed(rejected(CLIENT, SERVER, interface_id=None, **REQUEST))
    words = likely_cause(one, "the client", "the server")
    assert (one.side, words) == (None, "a security group or network ACL at the client or the server")


@pytest.mark.parametrize("flags", [0, 1, 4, 5])
def test_leftovers_are_not_attempts(flags: int) -> None:
    """Neither of internal hosts nor of the internet, regardless of other evidence for the initiator."""
    listening = flow(SERVER, "10.0.1.20:40001", **ANSWER)
    internal, external = (rejected(client, SERVER, tcp_flags=flags) for client in (CLIENT, STRANGER))
    flows = internal, external, listening
    assert [each.expired for each in directed(*flows)] == [True, True, False]
    assert blocked(flows) == []
    assert noise(flows) == []


def test_udp_has_no_leftovers() -> None:
    """UDP has no connections: a changed rule rejects packets that it accepted before."""
    refused = rejected("10.0.1.20:40000", "10.0.2.30:514", protocol=17)
    accepted = flow("10.0.1.20:40000", "10.0.2.30:514", protocol=17)
    assert not directed(refused, accepted)[0].expired


def test_without_flags_an_accept_at_the_same_interface_identifies_a_leftover() -> None:
    """An accept at the far end's interface is no evidence."""
    for accepted_at, is_one in (("eni-1", True), ("eni-2", False)):
        flows = rejected(CLIENT, SERVER), flow(CLIENT, SERVER, interface_id=accepted_at)
        assert directed(*flows)[0].expired == is_one
        assert (blocked(flows) == []) == is_one
        stranger = rejected(STRANGER, SERVER), flow(STRANGER, SERVER, interface_id=accepted_at)
        assert (noise(stranger) == []) == is_one


def test_an_accepted_flow_has_no_cause() -> None:
    """Only REJECTs have a cause."""
    (one,) = directed(flow(CLIENT, SERVER, tcp_flags=0))
    assert not one.expired
    assert one.flow.action is Action.ACCEPT
