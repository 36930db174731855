"""The evaluator and a naive one that expands every rule agree on every packet of a small universe."""

from __future__ import annotations

from ipaddress import ip_network

from hypothesis import assume, given
from hypothesis import strategies as st

from flowwarden.network.rules.model import (
    ANY_PORT,
    Configuration,
    Direction,
    End,
    Entry,
    NetworkAcl,
    Packet,
    Place,
    PrefixList,
    Ref,
    Rule,
    SecurityGroup,
    Span,
)
from flowwarden.network.rules.verdict import Rejected, judge
from tests.network.rules import naive

GROUPS = "sg-1", "sg-2", "sg-3"
SUBNETS = "subnet-1", "subnet-2"
LISTS = "pl-1", "pl-2"
NETWORKS = tuple(
    map(
        ip_network,
        ("0.0.0.0/0", "::/0", "10.0.1.0/24", "10.0.1.2/31", "10.0.2.0/24", "10.0.2.1/32", "2001:db8::2/127"),
    )
)
MOST_UNKNOWN = 5

numbers = st.sampled_from(sorted({*naive.PORTS, *naive.TYPES}))
spans = st.builds(lambda one, other: Span(min(one, other), max(one, other)), numbers, numbers)
protocols = st.sampled_from((None, 6, 6, 17, 1, 58, 132))
networks = st.sampled_from(NETWORKS)
refs = st.builds(Ref, group_id=st.sampled_from(GROUPS), elsewhere=st.booleans(), stale=st.booleans())
peers = st.one_of(networks, networks, refs, st.sampled_from(LISTS).map(PrefixList))
known_rules = st.builds(Rule, protocol=protocols, ports=st.one_of(st.just(ANY_PORT), spans), peer=peers)
rules = st.one_of(
    known_rules,
    known_rules,
    st.builds(Rule, protocol=protocols, ports=st.none(), peer=peers),
    st.builds(Rule, protocol=protocols, ports=spans, peer=st.none()),
)


def entries(network: st.SearchStrategy) -> st.SearchStrategy[tuple[Entry, ...]]:
    """Entries with distinct numbers, as EC2 guarantees for each direction."""
    each = st.builds(
        Entry,
        number=st.integers(1, 40),
        egress=st.booleans(),
        allows=st.booleans(),
        protocol=protocols,
        network=network,
        ports=st.one_of(st.just(ANY_PORT), spans),
    )
    return st.lists(each, max_size=5, unique_by=lambda one: (one.number, one.egress)).map(tuple)


def configurations(rule: st.SearchStrategy[Rule], network: st.SearchStrategy) -> st.SearchStrategy:
    """Up to three groups, two network ACLs and two prefix lists; some may be missing."""
    several = st.lists(rule, max_size=4).map(tuple)
    return st.builds(
        Configuration,
        groups=st.fixed_dictionaries(
            {},
            optional={
                name: st.builds(SecurityGroup, group_id=st.just(name), inbound=several, outbound=several)
                for name in GROUPS
            },
        ),
        acls=st.fixed_dictionaries(
            {},
            optional={
                name: st.builds(NetworkAcl, acl_id=st.just(f"acl-{name}"), entries=entries(network))
                for name in SUBNETS
            },
        ),
        prefix_lists=st.fixed_dictionaries(
            {}, optional={name: st.lists(networks, max_size=2).map(tuple) for name in LISTS}
        ),
    )


at_interface = st.builds(
    End,
    place=st.just(Place.INTERFACE),
    groups=st.lists(st.sampled_from(GROUPS), max_size=2, unique=True).map(tuple),
    subnet=st.sampled_from(SUBNETS),
)
far_ends = st.one_of(
    at_interface, at_interface, st.sampled_from((End(place=Place.OUTSIDE), End(place=Place.UNKNOWN)))
)


@st.composite
def rejections(draw: st.DrawFn) -> Rejected:
    """A packet between two hosts of the universe, logged at an interface."""
    source = draw(st.sampled_from(naive.HOSTS))
    destination = draw(st.sampled_from([each for each in naive.HOSTS if each.version == source.version]))
    protocol, number = draw(st.sampled_from(naive.SERVICES))
    client = draw(st.sampled_from(naive.PORTS))
    direction, is_reply = draw(st.sampled_from(tuple(Direction))), draw(st.booleans())
    here, far = draw(at_interface), draw(far_ends)
    leaves_source = (direction is Direction.OUTBOUND) is not is_reply
    ports = Span(number, number)
    if protocol in {1, 58}:
        is_reply, leaves_source = False, direction is Direction.OUTBOUND
    return Rejected(
        request=Packet(
            source=source,
            destination=destination,
            protocol=protocol,
            ports=ports,
            source_ports=Span(client, client),
        ),
        source=here if leaves_source else far,
        destination=far if leaves_source else here,
        direction=direction,
        is_reply=is_reply,
    )


@given(rejections(), configurations(rules, st.one_of(networks, networks, st.none())))
def test_both_evaluators_agree(rejected: Rejected, configuration: Configuration) -> None:
    """With what is not known tried both ways; without such parts, they also blame the same component."""
    unknown = naive.unknowns(rejected, configuration)
    assume(len(unknown) <= MOST_UNKNOWN)
    verdict = judge(rejected, configuration)
    outcome, component = naive.outcome(rejected, configuration)
    assert verdict.outcome == outcome
    if not unknown and verdict.by:
        assert verdict.by.component == component
