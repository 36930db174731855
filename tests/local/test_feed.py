"""The scenario's records are valid: the reader parses every line."""

from __future__ import annotations

import pytest

from flowwarden.records.line_reader import LineReader
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, LogFormat
from flowwarden.records.model import Action, FlowDirection
from local.feed import Conversation, lines
from local.scenes import Scene, make_hosts, scenes

SMALL = "${srcaddr} ${dstaddr} ${action} ${flow-direction} ${traffic-path} ${tcp-flags} ${log-status}"
STORY = scenes(make_hosts("vpc-0123456789abcdef0"))
WEB = make_hosts("vpc-0123456789abcdef0").web


@pytest.mark.parametrize("log_format", [SMALL, DEFAULT_LOG_FORMAT.to_log_format()])
@pytest.mark.parametrize("scene", STORY, ids=[scene.title for scene in STORY])
def test_every_line_is_a_flow(scene: Scene, log_format: str) -> None:
    """In every log format."""
    written = [line for each in scene.conversations for line in lines(each, log_format, 1_764_000_000)]
    records = LineReader((LogFormat.parse(log_format),)).read(written)
    assert (len(records.flows), records.gaps, records.malformed) == (len(written), [], [])


def test_an_answered_conversation_is_recorded_in_both_directions() -> None:
    """The client's SYN is ingress, the server's SYN-ACK is egress through the internet gateway."""
    visit = Conversation(at=WEB, client="198.51.100.7", client_port=50_000, server=WEB.address, port=443)
    asked, answered = LineReader((LogFormat.parse(SMALL),)).read(lines(visit, SMALL, 0)).flows
    assert (asked.srcaddr, asked.flow_direction, asked.tcp_flags) == (
        "198.51.100.7", FlowDirection.INGRESS, 3,
    )  # fmt: skip
    assert (answered.srcaddr, answered.flow_direction, answered.tcp_flags) == (
        WEB.address, FlowDirection.EGRESS, 19,
    )  # fmt: skip
    assert (asked.traffic_path, answered.traffic_path) == (None, 8)


def test_a_rejected_attempt_is_recorded_without_a_reply() -> None:
    """One REJECT with a SYN."""
    knock = Conversation(
        at=WEB, client="198.51.100.7", client_port=50_000, server=WEB.address, port=22, accepted=False
    )
    (flow,) = LineReader((LogFormat.parse(SMALL),)).read(lines(knock, SMALL, 0)).flows
    assert (flow.action, flow.tcp_flags) == (Action.REJECT, 2)
