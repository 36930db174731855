"""Rules as EC2 describes them: on moto, on answers with wrong members, and with each error of a call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from ipaddress import ip_network
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, NoCredentialsError, ReadTimeoutError
from moto import mock_aws

from flowwarden.aws.ec2.rules import MOST_PAGES, DescribedRules
from flowwarden.errors import RulesUnavailable
from flowwarden.monitor.rules.explainer import RuleExplainer
from flowwarden.monitor.rules.explanation import Explanation
from flowwarden.network.rules.check import Outcome
from flowwarden.network.rules.model import ANY_ICMP, ANY_PORT, Entry, PrefixList, Ref, Rule, Span
from flowwarden.unreadable import Unreadable
from tests.aws.clients import session
from tests.aws.test_hostile_answers import DROPPED, WRONG, broken, paths
from tests.flows import START
from tests.monitor.rules.test_explainer import query

ANY: Final = ip_network("0.0.0.0/0")


@contextmanager
def allow() -> Iterator[None]:
    """Allow every request."""
    yield


# ---- on moto


def test_rules_network_acls_and_prefix_lists_are_read() -> None:
    """As moto describes them."""
    with mock_aws():
        ec2 = session().client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
        group = ec2.create_security_group(GroupName="db", Description="db", VpcId=vpc)["GroupId"]
        ec2.authorize_security_group_ingress(
            GroupId=group,
            IpPermissions=[
                {
                    "IpProtocol": "tcp",
                    "FromPort": 5432,
                    "ToPort": 5433,
                    "IpRanges": [{"CidrIp": "10.0.9.0/24"}],
                }
            ],
        )
        made = ec2.create_network_interface(SubnetId=subnet, Groups=[group], PrivateIpAddress="10.0.1.9")
        name = made["NetworkInterface"]["NetworkInterfaceId"]
        lists = ec2.create_managed_prefix_list(
            PrefixListName="offices", MaxEntries=5, AddressFamily="IPv4", Entries=[{"Cidr": "192.0.2.0/24"}]
        )
        directory = DescribedRules(lambda: ec2)
        here, there = directory.interface(name, allow), directory.interface_at(vpc, "10.0.1.9", allow)
        groups = directory.groups({group: "db"}, vpc, allow)
        acls = directory.acls([subnet], allow)
        networks = directory.prefix_list(lists["PrefixList"]["PrefixListId"], allow)
        assert directory.interface_at(vpc, "10.0.1.8", allow) is None
        assert directory.interface("eni-0", allow) is None
    assert here
    assert here == there
    assert here.group_names == {group: "db"}
    (rule,) = groups[group].inbound
    assert (rule.protocol, rule.ports, rule.peer) == (6, Span(5432, 5433), ip_network("10.0.9.0/24"))
    assert [each.protocol for each in groups[group].outbound] == [None]
    assert {each.allows for each in acls[subnet].entries if each.number == 100} == {True}
    assert networks == (ip_network("192.0.2.0/24"),)


# ---- on prepared answers


class Answering:
    """A client with one answer, or one error, for each operation."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self._answers = answers
        self.asked: list[tuple[str, Mapping[str, Any]]] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return partial(self._answer, name)

    def _answer(self, name: str, **parameters: Any) -> Any:
        self.asked.append((name, parameters))
        answer = self._answers[name]
        if isinstance(answer, Exception):
            raise answer
        return answer


def directory_on(client: Any) -> DescribedRules:
    """The directory on a prepared client."""
    return DescribedRules(lambda: client, Unreadable())


def listed(group: str = "sg-db", *, egress: bool = False, **given: Any) -> dict[str, Any]:
    """One item of DescribeSecurityGroupRules."""
    service = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432}
    return {"SecurityGroupRuleId": "sgr-1", "GroupId": group, "IsEgress": egress, **service, **given}


def read(**given: Any) -> Rule:
    """The only rule of a group, with these members."""
    client = Answering({"describe_security_group_rules": {"SecurityGroupRules": [listed(**given)]}})
    return directory_on(client).groups({"sg-db": "db"}, "vpc-1", allow)["sg-db"].inbound[0]


@pytest.mark.parametrize(
    ("given", "peer"),
    [
        ({"CidrIpv4": "10.0.0.0/8"}, ip_network("10.0.0.0/8")),
        ({"CidrIpv4": "10.1.2.3/8"}, ip_network("10.0.0.0/8")),
        ({"CidrIpv6": "2001:db8::/32"}, ip_network("2001:db8::/32")),
        ({"PrefixListId": "pl-1"}, PrefixList("pl-1")),
        ({"ReferencedGroupInfo": {"GroupId": "sg-1", "VpcId": "vpc-1"}}, Ref(group_id="sg-1")),
        ({"ReferencedGroupInfo": {"GroupId": "sg-1", "UserId": "1"}}, Ref(group_id="sg-1")),
        (
            {"ReferencedGroupInfo": {"GroupId": "sg-1", "VpcId": "vpc-2"}},
            Ref(group_id="sg-1", elsewhere=True),
        ),
        (
            {
                "ReferencedGroupInfo": {
                    "GroupId": "sg-1",
                    "VpcPeeringConnectionId": "pcx-1",
                    "PeeringStatus": "active",
                }
            },
            Ref(group_id="sg-1", elsewhere=True),
        ),
        (
            {
                "ReferencedGroupInfo": {
                    "GroupId": "sg-1",
                    "VpcPeeringConnectionId": "pcx-1",
                    "PeeringStatus": "deleted",
                }
            },
            Ref(group_id="sg-1", elsewhere=True, stale=True),
        ),
        ({}, None),
        ({"CidrIpv4": "10.0.0.0/33"}, None),
        ({"CidrIpv4": 5}, None),
        ({"ReferencedGroupInfo": {}}, None),
    ],
)
def test_the_far_end_of_a_rule_is_read(given: dict[str, Any], peer: object) -> None:
    """None if it cannot be."""
    assert read(**given).peer == peer


@pytest.mark.parametrize(
    ("given", "protocol", "ports", "codes"),
    [
        ({"IpProtocol": "-1", "FromPort": -1, "ToPort": -1}, None, ANY_PORT, ANY_ICMP),
        ({}, 6, Span(5432, 5432), ANY_ICMP),
        ({"IpProtocol": "17", "FromPort": 0, "ToPort": 65535}, 17, ANY_PORT, ANY_ICMP),
        ({"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1}, 1, ANY_ICMP, ANY_ICMP),
        ({"IpProtocol": "icmp", "FromPort": 8, "ToPort": 0}, 1, Span(8, 8), Span(0, 0)),
        ({"IpProtocol": "icmpv6", "FromPort": 128, "ToPort": -1}, 58, Span(128, 128), ANY_ICMP),
        ({"IpProtocol": "132", "FromPort": -1, "ToPort": -1}, 132, ANY_PORT, ANY_ICMP),
        ({"FromPort": 5433}, 6, None, ANY_ICMP),
        ({"ToPort": 70000}, 6, None, ANY_ICMP),
        ({"FromPort": "5432"}, 6, None, ANY_ICMP),
        ({"IpProtocol": "256"}, None, None, ANY_ICMP),
        ({"IpProtocol": ""}, None, None, ANY_ICMP),
    ],
)
def test_the_service_of_a_rule_is_read(
    given: dict[str, Any], protocol: int | None, ports: Span | None, codes: Span
) -> None:
    """Its ports are None if they, or the protocol, cannot be read."""
    rule = read(**given)
    assert (rule.protocol, rule.ports, rule.codes) == (protocol, ports, codes)


def entry(number: int = 100, *, egress: bool = False, **given: Any) -> dict[str, Any]:
    """One entry of a network ACL."""
    rest = {"RuleAction": "allow", "Protocol": "-1", "CidrBlock": "0.0.0.0/0"}
    return {"RuleNumber": number, "Egress": egress, **rest, **given}


def acl(*entries: Any, subnet: str = "subnet-b") -> dict[str, Any]:
    """One network ACL."""
    return {"NetworkAclId": "acl-b", "Entries": list(entries), "Associations": [{"SubnetId": subnet}]}


def test_entries_of_a_network_acl_are_read() -> None:
    """With ports, with ICMP types, and for IPv6."""
    client = Answering(
        {
            "describe_network_acls": {
                "NetworkAcls": [
                    acl(
                        entry(Protocol="6", PortRange={"From": 80, "To": 81}, RuleAction="deny"),
                        entry(101, Protocol="1", IcmpTypeCode={"Type": 8, "Code": -1}),
                        entry(102, CidrBlock=None, Ipv6CidrBlock="::/0", egress=True),
                    ),
                    acl(subnet="subnet-other"),
                ]
            }
        }
    )
    (found,) = directory_on(client).acls(["subnet-b"], allow).values()
    assert found.complete
    assert found.entries == (
        Entry(number=100, egress=False, allows=False, protocol=6, network=ANY, ports=Span(80, 81)),
        Entry(number=101, egress=False, allows=True, protocol=1, network=ANY, ports=Span(8, 8)),
        Entry(number=102, egress=True, allows=True, protocol=None, network=ip_network("::/0")),
    )


# ---- a whole account, with each member of its answers wrong

ACCOUNT: Final[Mapping[str, Any]] = {
    "describe_network_interfaces": {
        "NetworkInterfaces": [
            {
                "NetworkInterfaceId": name,
                "VpcId": "vpc-1",
                "SubnetId": subnet,
                "Groups": [{"GroupId": group, "GroupName": group}],
                "PrivateIpAddresses": [{"PrivateIpAddress": address}],
            }
            for name, subnet, group, address in (
                ("eni-db", "subnet-b", "sg-db", "10.0.2.6"),
                ("eni-web", "subnet-a", "sg-web", "10.0.1.5"),
            )
        ]
    },
    "describe_security_group_rules": {
        "SecurityGroupRules": [
            listed(CidrIpv4="10.0.9.0/24"),
            listed(SecurityGroupRuleId="sgr-2", PrefixListId="pl-1"),
            listed(SecurityGroupRuleId="sgr-3", ReferencedGroupInfo={"GroupId": "sg-app", "VpcId": "vpc-1"}),
            listed("sg-web", egress=True, IpProtocol="-1", CidrIpv4="0.0.0.0/0"),
        ]
    },
    "describe_network_acls": {
        "NetworkAcls": [acl(entry(), entry(egress=True)), acl(entry(), entry(egress=True), subnet="subnet-a")]
    },
    "get_managed_prefix_list_entries": {"Entries": [{"Cidr": "192.0.2.0/24"}]},
    "describe_security_groups": {"SecurityGroups": []},
}


def explained(answers: Mapping[str, Any]) -> Explanation:
    """What the page says, with these answers of EC2."""
    client = Answering(answers)
    directory = directory_on(client)
    networks = ("10.0.0.0/16",)
    return RuleExplainer(directory, None, pytest.fail).for_batch(START, lambda: 40.0, lambda _: networks)(
        query()
    )


def outcome(found: Explanation) -> Outcome:
    """The outcome; undetermined without a verdict."""
    return found.verdict.outcome if found.verdict else Outcome.UNDETERMINED


def test_the_account_denies_the_connection() -> None:
    """The other tests take parts of its answers away."""
    assert outcome(explained(ACCOUNT)) is Outcome.DENIED


@pytest.mark.parametrize("operation", ACCOUNT)
def test_a_wrong_member_never_makes_a_denied_connection_allowed(operation: str) -> None:
    """Nor does it raise an error. It may hide a part, and then the verdict is undetermined."""
    for path in paths(ACCOUNT[operation]):
        for wrong in WRONG:
            without = wrong is DROPPED and isinstance(path[-1], int)
            if wrong in (True, "10.0.0.1/8") or without or (path[-1] == "Groups" and wrong == []):
                continue  # a valid answer about other rules
            answers = {**ACCOUNT, operation: broken(ACCOUNT[operation], path, wrong)}
            assert outcome(explained(answers)) is not Outcome.ALLOWED, (path, wrong)


ALLOWED: Final = {
    **ACCOUNT,
    "describe_security_group_rules": {"SecurityGroupRules": [listed(CidrIpv4="10.0.1.0/24")]},
}


@pytest.mark.parametrize("operation", ALLOWED)
def test_a_missing_member_never_makes_an_allowed_connection_denied(operation: str) -> None:
    """A page that blames a rule is right."""
    assert outcome(explained(ALLOWED)) is Outcome.ALLOWED
    for path in paths(ALLOWED[operation]):
        for wrong in (DROPPED, None, "junk\n\x1b", float("nan"), b"x", [5], [None]):
            if isinstance(path[-1], int) and wrong is DROPPED:
                continue  # a valid answer without the rule
            answers = {**ALLOWED, operation: broken(ALLOWED[operation], path, wrong)}
            assert outcome(explained(answers)) is not Outcome.DENIED, (path, wrong)


def test_a_group_that_ec2_does_not_describe_is_left_out() -> None:
    """It belongs to another account of a shared VPC: no rule of it is visible, which does not mean none."""
    answers: dict[str, Any] = {"describe_security_group_rules": {"SecurityGroupRules": []}}
    for shown in ([], [{"GroupId": "sg-db"}]):
        client = Answering({**answers, "describe_security_groups": {"SecurityGroups": shown}})
        found = directory_on(client).groups({"sg-db": "db"}, "vpc-1", allow)
        assert set(found) == {each["GroupId"] for each in shown}


def test_a_listing_that_does_not_end_is_an_error() -> None:
    """Whether its token repeats or not."""
    client = Answering({"describe_network_acls": {"NetworkAcls": [], "NextToken": "again"}})
    directory = directory_on(client)
    with pytest.raises(RulesUnavailable, match="does not end"):
        directory.acls(["subnet-b"], allow)
    assert len(client.asked) == MOST_PAGES


def refused(code: str, status: int = 400) -> ClientError:
    """An error of EC2."""
    meta = {"HTTPStatusCode": status}
    return ClientError({"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": meta}, "X")  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("error", "reason", "lasts"),
    [
        (refused("UnauthorizedOperation"), "EC2 refused DescribeNetworkAcls (UnauthorizedOperation)", False),
        (refused("RequestLimitExceeded", 503), "EC2 throttled DescribeNetworkAcls", True),
        (refused("InternalError", 500), "EC2 failed DescribeNetworkAcls", True),
        (ReadTimeoutError(endpoint_url="x"), "EC2 did not answer DescribeNetworkAcls within 2 s", True),
        (ConnectTimeoutError(endpoint_url="x"), "EC2 did not answer DescribeNetworkAcls within 2 s", True),
        (NoCredentialsError(), "EC2 refused DescribeNetworkAcls", False),
        (refused("x\n\x1b[2J" + "y" * 500), "EC2 refused DescribeNetworkAcls (x \\x1b[2J", False),
    ],
)
def test_an_error_of_a_call_is_a_reason(error: Exception, reason: str, *, lasts: bool) -> None:
    """Short, and safe to show."""
    client = Answering({"describe_network_acls": error})
    directory = directory_on(client)
    with pytest.raises(RulesUnavailable) as raised:
        directory.acls(["subnet-b"], allow)
    assert str(raised.value).startswith(reason)
    assert len(str(raised.value)) < 120
    assert raised.value.lasts is lasts


def test_the_client_is_created_within_the_time_of_the_lookup() -> None:
    """EC2's client takes long to create. Without time there is none, and no call."""
    made: list[str] = []

    @contextmanager
    def no_time() -> Iterator[None]:
        raise RulesUnavailable("there was no time left")
        yield

    def make() -> Any:
        made.append("a client")

    with pytest.raises(RulesUnavailable, match="no time left"):
        DescribedRules(make).acls(["subnet-b"], no_time)
    assert made == []
