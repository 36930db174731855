"""A host as people name it: text from outside stays a short piece of a line, and cannot pretend."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flowwarden.monitor.names import Names
from flowwarden.monitor.render.console import Console
from flowwarden.monitor.render.named_host import LONGEST_NAME, NamedHost, named
from flowwarden.monitor.traffic.hosts import Host
from flowwarden.network.interface import NetworkInterface
from flowwarden.policy.policy import Policy
from flowwarden.printable import one_line
from tests.examples import examples
from tests.hostile import HOSTILE, is_visible, places, poisoned, texts
from tests.monitor.render.golden import CONTEXT, DATABASE, NAMES, only_blocked
from tests.monitor.render.named_interfaces import KINDS
from tests.monitor.render.rows import below, page, row

KEYS = Policy().owner_tags
ANY = st.text(st.characters(), max_size=200)


def host(found: NetworkInterface, names: Names | None = NAMES) -> NamedHost:
    """The host at an interface."""
    known = Host(interface=found.interface_id, instance=found.instance_id or None, found=found)
    return NamedHost(replace(known, subnet=found.subnet_id or None), names, KEYS)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("web-1", "web-1"),
        ("Shop front 2", "Shop front 2"),
        ("データ_1", "データ_1"),
        ("a (internal), b", '"a (internal), b"'),
        ('say "yes"', "\"say 'yes'\""),
        ("a\nTo           b", "a To b"),
        ("\x1b[2J", '"\\x1b[2J"'),
        ("x" * 100, "x" * (LONGEST_NAME - 3) + "..."),
    ],
)
def test_a_name_is_a_piece_of_a_line(name: str, shown: str) -> None:
    """Between quotation marks if it could look like the page's own words."""
    assert named(name) == shown


@examples(5)
@given(name=ANY, owner=ANY, key=ANY, group=ANY, subnet=ANY, description=ANY)
def test_no_text_from_outside_leaves_its_line(
    name: str, owner: str, key: str, group: str, subnet: str, description: str
) -> None:
    """No control character, no line break, and a bounded length; in the document, too."""
    tags = {"Name": name, "Owner": owner, key: owner, "aws:autoscaling:groupName": group}
    found = replace(DATABASE, tags=tags, group_names=(group, group), description=description)
    one = host(found, replace(NAMES, subnets={"subnet-2": subnet}))
    for piece in (one.label, *one.who, *one.place):
        assert piece.isprintable()
        assert len(piece) <= 3 * (LONGEST_NAME + 20)
    assert "\n" not in f"{one.label}{one.who}{one.place}"
    document = one.document(Console("aws", "eu-west-1"))
    assert all(is_visible(one_line(each, 2000)) and len(each) <= 300 for each in texts(document))


@pytest.mark.matrix(10)
@pytest.mark.parametrize("kind", KINDS)
def test_hostile_text_anywhere_in_a_description_adds_no_line(kind: str) -> None:
    """Each text of an interface in turn; the page has as many lines as without it, or fewer."""
    tried = 0
    for path in places(KINDS[kind]):
        if path[0] in {"addresses", "vpc_id", "vpc_cidrs", "kind"}:
            continue  # another address or VPC is another host
        tried += 1
        found = poisoned(KINDS[kind], path)
        names = replace(NAMES, hosts={("vpc-1", found.addresses[0]): (found, 0)})
        hosts = replace(CONTEXT, hosts=CONTEXT.hosts.also(names.hosts), names=names)
        sent = page(only_blocked(), hosts)
        assert is_visible(sent.text)
        assert all(len(line) <= 2000 for line in sent.text.split("\n"))
        assert "\n- vpc-forged" not in sent.text
        assert all(map(is_visible, texts(sent.document)))
    assert tried


def test_the_alias_and_the_names_of_subnets_and_vpc_add_no_line() -> None:
    """They come from AWS, and are written by users."""
    names = Names(aliases={"111122223333": HOSTILE}, subnets={"subnet-1": HOSTILE}, unavailable=HOSTILE)
    sent, usual = page(only_blocked(), replace(CONTEXT, names=names)), page(only_blocked())
    assert is_visible(sent.text)
    assert sent.text.count("\n") == usual.text.count("\n") + 1, "the line about names that are unavailable"
    assert all(len(line) <= 2000 for line in sent.text.split("\n"))


def test_owners_are_those_of_the_policy_in_its_order() -> None:
    """At most three on the page, all of them in the document."""
    found = replace(DATABASE, tags={"Team": "a", "Owner": "b", "contact": "c", "team": "d", "Other": "e"})
    assert host(found).who[:3] == ["Owner=b", "Team=a", "team=d"]
    assert host(found).owners == {"Owner": "b", "Team": "a", "team": "d", "contact": "c"}
    assert NamedHost(host(found).host, NAMES, ("Other",)).who == ["Other=e"]
    assert NamedHost(host(found).host, NAMES, ()).who == []


def test_an_instance_without_an_owner_says_so_and_a_service_does_not() -> None:
    """The tags of AWS's own interfaces are not the user's to set."""
    assert host(replace(DATABASE, tags={})).who == ["no owner tag"]
    assert "no owner tag" not in host(KINDS["rds"]).who


def test_an_interface_that_ec2_does_not_describe_is_said_to_be_so() -> None:
    """Only if EC2 was asked and answered: otherwise nothing is known."""
    unknown = Host(interface="eni-9")
    said = "EC2 does not describe this interface: it is deleted, or belongs to another account"
    assert NamedHost(unknown, Names(), KEYS).place == ["eni-9", said]
    for names in (None, Names(unavailable="DescribeNetworkInterfaces: RequestLimitExceeded")):
        assert NamedHost(unknown, names, KEYS).place == ["eni-9"]
    assert NamedHost(Host(), Names(), KEYS).place == []


def test_a_page_names_the_host_in_its_subject() -> None:
    """Behind its address, because the sentence can name several hosts."""
    assert page(only_blocked()).subject == (
        "[MEDIUM] 10.0.1.20 (web-1) is blocked from PostgreSQL (tcp/5432) at 10.0.2.30 (eu-west-1)"
    )


def test_missing_names_are_explained_in_one_line() -> None:
    """With the call and the code; the rest of the page is as it would be without names."""
    names = Names(unavailable="DescribeSubnets: UnauthorizedOperation")
    sent = page(only_blocked(), replace(CONTEXT, names=names))
    assert "\nNames unavailable: DescribeSubnets: UnauthorizedOperation\n" in sent.text
    assert sent.document["names_unavailable"] == "DescribeSubnets: UnauthorizedOperation"
    assert row(sent, "Where").startswith("111122223333, eu-west-1")
    assert below(sent, "From")[1] == "i-1, eni-1, subnet-1, security group sg-1 (web)"
    assert "Names unavailable" not in page(only_blocked()).text
