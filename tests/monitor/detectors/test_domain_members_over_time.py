"""lateral-movement and brute-force: a member of a domain and its directory servers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.network.services import UDP
from flowwarden.records.model import Flow
from tests.examples import examples
from tests.flows import flow
from tests.monitor.fakes_state import MemoryEvidence
from tests.monitor.weeks import CLIENT, IN, OUT, TODAY, got, learned, paged

CONTROLLERS = "10.0.150.10", "10.0.151.10", "10.0.152.10"
MEMBER = 53, 88, 389, 445, 135, 49_668
USUAL = learned()


def asked(servers: Iterable[str], ports: Iterable[int]) -> list[Flow]:
    """Each server answers the client on each port."""
    return [
        each
        for server in servers
        for port in ports
        for each in got(server, port, client_port=50_000 + port % 1000)
    ]


def asked_by_udp(server: str, port: int) -> list[Flow]:
    """A request and its answer over UDP."""
    times = {"protocol": UDP, "start": TODAY + 3600, "end": TODAY + 3601}
    return [
        flow(f"{CLIENT}:50200", f"{server}:{port}", flow_direction=OUT, **times),
        flow(f"{server}:{port}", f"{CLIENT}:50200", flow_direction=IN, **times),
    ]


def found(batches: Sequence[Sequence[Flow]], evidence: MemoryEvidence = USUAL) -> list[str]:
    """The detectors with a finding, in a copy of the evidence."""
    table = MemoryEvidence(dict(evidence.items))
    return [each.detector for batch in batches for each in paged(batch, table)]


def test_a_member_of_a_domain_does_not_administer_its_directory_servers() -> None:
    """It joins the domain, and looks up names, tickets and entries."""
    assert found([asked(CONTROLLERS, MEMBER)]) == []
    assert found([asked(CONTROLLERS, (636, 3268, 445))]) == []
    by_udp = [each for server in CONTROLLERS for port in (53, 88) for each in asked_by_udp(server, port)]
    assert found([by_udp + asked(CONTROLLERS, (445, 135))]) == []


@pytest.mark.parametrize(
    "ports",
    [(445, 135), (53, 445, 135), (389, 445), (3268, 3269, 445), (53, 88, 389, 445, 3389), (53, 88, 22)],
)
def test_other_servers_are_administered(ports: tuple[int, ...]) -> None:
    """A server with one directory service is none; to a directory server only SMB and RPC are usual."""
    assert found([asked(CONTROLLERS, ports)]) == ["lateral-movement"]


def test_a_directory_server_hides_no_others() -> None:
    """Three other hosts are administered besides."""
    others = asked(("10.0.161.10", "10.0.162.10", "10.0.163.10"), (445,))
    assert found([asked(CONTROLLERS[:1], MEMBER) + others]) == ["lateral-movement"]
    assert found([asked(CONTROLLERS, MEMBER), others]) == ["lateral-movement"]
    assert found([asked(CONTROLLERS, MEMBER), others[:4]]) == [], "found with only two other hosts"


def test_a_server_that_does_not_answer_is_no_directory_server() -> None:
    """Requests alone prove nothing."""
    requests = [each for each in asked(CONTROLLERS, MEMBER) if each.flow_direction is OUT]
    assert "lateral-movement" in found([requests])


def test_what_a_role_usually_looks_up_shows_its_directory_servers() -> None:
    """Usual contacts are not in the window; the services that were missing may come later."""
    lookups = asked(CONTROLLERS, (53, 389))
    assert found([asked(CONTROLLERS, (445, 135))], learned(*lookups)) == []
    names = learned(*asked(CONTROLLERS, (53,)))
    assert found([asked(CONTROLLERS, (445, 135))], names) == ["lateral-movement"]
    assert found([asked(CONTROLLERS, (88, 445, 135))], names) == []
    elsewhere = [f"10.0.{net}.10" for net in (161, 162, 163)]
    assert found([asked(elsewhere, (445, 135))], learned(*lookups)) == ["lateral-movement"]


@given(st.data())
@examples(1)
def test_order_repetition_and_partition_do_not_matter(data: st.DataObject) -> None:
    """Once all batches are in, in any order, the next contact is judged alike."""
    pairs = [asked([server], [port]) for server in CONTROLLERS for port in MEMBER if port not in (445, 135)]
    mixed = data.draw(st.permutations(pairs)) + data.draw(st.lists(st.sampled_from(pairs), max_size=4))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(mixed) - 1), max_size=3)))
    parts = [mixed[begin:end] for begin, end in pairwise([0, *cuts, len(mixed)])]
    batches = [[each for pair in part for each in pair] for part in parts]
    assert found([*batches, asked(CONTROLLERS, (445, 135))]) == []


def test_many_sessions_with_a_directory_server_are_guessing_only_if_very_many() -> None:
    """Each logon and policy reads a few files; guessing opens hundreds of sessions."""

    def sessions(count: int) -> list[Flow]:
        return [each for port in range(count) for each in got(CONTROLLERS[0], 445, client_port=51_000 + port)]

    assert found([asked(CONTROLLERS, MEMBER) + sessions(60)]) == []
    assert found([sessions(60)]) == ["brute-force"]
    assert found([asked(CONTROLLERS, MEMBER) + sessions(250)]) == ["brute-force"]
