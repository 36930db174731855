"""Cases of rejected packets with the right verdict, derived by hand from AWS's documentation.

Ends: `WEB` is 10.0.1.5 in subnet-a, `DB` is 10.0.2.6 in subnet-b.
"""

from __future__ import annotations

from typing import NamedTuple

from flowwarden.network.rules.model import Configuration
from flowwarden.network.rules.verdict import Rejected
from tests.network.rules.written import OUTSIDE, UNKNOWN, acl, at, configured, group, rejected

WEB, DB = at("subnet-a", "sg-web"), at("subnet-b", "sg-db")
NEXT = at("subnet-b", "sg-web")
"""Another host of web, in the subnet of the database."""
QUERY = "tcp 10.0.1.5:40000 > 10.0.2.6:5432"
OUT = group("sg-web", outbound=("all from 0.0.0.0/0", "all from ::/0"))
QUERY6 = "tcp [2001:db8::5]:40000 > [2001:db8::6]:5432"
PING = "icmp 10.0.1.5 > 10.0.2.6"
ANSWERED = "tcp 10.0.1.5:40000 > 10.0.2.6:443"
FROM_OUTSIDE = "tcp 172.31.0.9:40000 > 10.0.2.6:5432"
OPEN = group("sg-db", ("all from 0.0.0.0/0", "all from ::/0"), ("all from 0.0.0.0/0",))


class Case(NamedTuple):
    """A rejected packet, the rules, and the verdict in the words of `tests/network/rules/test_cases.py`."""

    name: str
    rejected: Rejected
    rules: Configuration
    verdict: str


def inbound(name: str, rules: tuple[str, ...], verdict: str, text: str = QUERY) -> Case:
    """The packet was rejected at the database, whose group has these inbound rules."""
    return Case(name, rejected(text, WEB, DB), configured(OUT, group("sg-db", rules)), verdict)


def arrives(name: str, rules: tuple[str, ...], verdict: str, text: str = QUERY) -> Case:
    """The packet was rejected at the database, whose subnet's network ACL has these inbound rules."""
    return Case(name, rejected(text, WEB, DB), configured(OUT, OPEN, acls={"subnet-b": acl(rules)}), verdict)


def answer(name: str, rules: tuple[str, ...], verdict: str, text: str = ANSWERED) -> Case:
    """The reply was rejected on its way out of the subnet of the server, by these outbound rules."""
    acls = {"subnet-b": acl(outbound=rules)}
    packet = rejected(text, WEB, DB, "outbound", is_reply=True)
    return Case(name, packet, configured(OUT, OPEN, acls=acls), verdict)


SG = "denied ENI_SG_RULES_MISMATCH by security-groups sg-db inbound"
OUT_SG = "denied ENI_SG_RULES_MISMATCH by security-groups sg-web outbound"
ACL = "denied SUBNET_ACL_RESTRICTION by network-acl"

SECURITY_GROUPS = (
    inbound("no rules at all", (), "denied SG_HAS_NO_RULES by security-groups sg-db inbound"),
    inbound(
        "another source: the closest is the same port",
        ("tcp/5432 from 10.0.9.0/24", "tcp/22 from 10.0.1.0/24"),
        f"{SG}, closest tcp/5432 from 10.0.9.0/24",
    ),
    inbound(
        "another port: the closest is the same source",
        ("tcp/5433 from 10.0.1.0/24", "tcp/22 from 10.0.1.0/24"),
        f"{SG}, closest tcp/5433 from 10.0.1.0/24",
    ),
    inbound(
        "another protocol of the same source",
        ("udp/5432 from 10.0.1.0/24",),
        f"{SG}, closest udp/5432 from 10.0.1.0/24",
    ),
    inbound("nothing in common: no rule is close", ("udp/53 from 10.9.0.0/16",), SG),
    inbound(
        "of several networks, the closest shares most leading bits",
        ("tcp/5432 from 192.168.0.0/16", "tcp/5432 from 10.0.2.0/24"),
        f"{SG}, closest tcp/5432 from 10.0.2.0/24",
    ),
    inbound("a rule for the port and the source allows it", ("tcp/5432 from 10.0.1.0/24",), "allowed"),
    inbound(
        "the network of a rule ends before the source",
        ("tcp/5432 from 10.0.1.0/30",),
        f"{SG}, closest tcp/5432 from 10.0.1.0/30",
    ),
    inbound("a range contains the port", ("tcp/5000-6000 from 10.0.1.0/24",), "allowed"),
    inbound("the first port of a range is in it", ("tcp/5432-5433 from 10.0.1.5/32",), "allowed"),
    inbound("the last port of a range is in it", ("tcp/5000-5432 from 10.0.1.5/32",), "allowed"),
    inbound(
        "a range ends one port too early",
        ("tcp/5000-5431 from 10.0.1.5/32",),
        f"{SG}, closest tcp/5000-5431 from 10.0.1.5/32",
    ),
    inbound("all protocols", ("all from 10.0.1.0/24",), "allowed"),
    inbound(
        "all protocols, but from elsewhere", ("all from 10.0.3.0/24",), f"{SG}, closest all from 10.0.3.0/24"
    ),
    inbound("a reference to the group of the source", ("tcp/5432 from sg-web",), "allowed"),
    inbound("a reference to another group", ("tcp/5432 from sg-app",), f"{SG}, closest tcp/5432 from sg-app"),
    inbound(
        "a self-reference, but the source is not a member",
        ("all from sg-db",),
        f"{SG}, closest all from sg-db",
    ),
    Case(
        "a self-reference: both ends are members",
        rejected(QUERY, at("subnet-a", "sg-db"), DB),
        configured(group("sg-db", ("all from sg-db",), ("all from sg-db",))),
        "allowed",
    ),
    Case(
        "of several groups of the source, one is referred to",
        rejected(QUERY, at("subnet-a", "sg-web", "sg-app"), DB),
        configured(OUT, group("sg-db", ("tcp/5432 from sg-app",))),
        "allowed",
    ),
    Case(
        "of several groups of the destination, the second allows",
        rejected(QUERY, WEB, at("subnet-b", "sg-db", "sg-app")),
        configured(OUT, group("sg-db"), group("sg-app", ("tcp/5432 from 10.0.0.0/8",))),
        "allowed",
    ),
    Case(
        "of several groups, none allows: the closest rule is of the second",
        rejected(QUERY, WEB, at("subnet-b", "sg-db", "sg-app")),
        configured(
            OUT, group("sg-db", ("tcp/22 from 10.0.9.0/24",)), group("sg-app", ("tcp/5432 from 10.0.9.0/24",))
        ),
        f"{SG.replace('sg-db', 'sg-db sg-app')}, closest tcp/5432 from 10.0.9.0/24",
    ),
    Case(
        "another interface of the instance has the group",
        rejected(QUERY, at("subnet-a", "sg-other"), DB),
        configured(group("sg-db", ("tcp/5432 from sg-web",))),
        f"{SG}, closest tcp/5432 from sg-web",
    ),
    inbound(
        "a member by reference does not make the port right",
        ("tcp/5433 from sg-web",),
        f"{SG}, closest tcp/5433 from sg-web",
    ),
    Case(
        "a prefix list contains the source",
        rejected(QUERY, WEB, DB),
        configured(
            OUT, group("sg-db", ("tcp/5432 from pl-1",)), lists={"pl-1": ("192.168.0.0/16", "10.0.1.0/24")}
        ),
        "allowed",
    ),
    Case(
        "a prefix list does not contain the source",
        rejected(QUERY, WEB, DB),
        configured(OUT, group("sg-db", ("tcp/5432 from pl-1",)), lists={"pl-1": ("192.168.0.0/16",)}),
        f"{SG}, closest tcp/5432 from pl-1",
    ),
    Case(
        "an empty prefix list contains nothing",
        rejected(QUERY, WEB, DB),
        configured(OUT, group("sg-db", ("all from pl-1",)), lists={"pl-1": ()}),
        f"{SG}, closest all from pl-1",
    ),
    inbound("a prefix list that cannot be read", ("tcp/5432 from pl-1",), "undetermined: prefix-list pl-1"),
    inbound("a prefix list that cannot be read, for another port", ("tcp/443 from pl-1",), SG),
    inbound(
        "IPv6 is not allowed by a rule for IPv4",
        ("tcp/5432 from 0.0.0.0/0",),
        f"{SG}, closest tcp/5432 from 0.0.0.0/0",
        QUERY6,
    ),
    inbound(
        "IPv4 is not allowed by a rule for IPv6", ("tcp/5432 from ::/0",), f"{SG}, closest tcp/5432 from ::/0"
    ),
    inbound("IPv6 is allowed by a rule for IPv6", ("tcp/5432 from 2001:db8::/64",), "allowed", QUERY6),
    inbound(
        "an IPv4-mapped address is the IPv4 address",
        ("tcp/5432 from 10.0.1.0/24",),
        "allowed",
        "tcp [::ffff:10.0.1.5]:40000 > [::ffff:10.0.2.6]:5432",
    ),
    inbound("ping by a rule for all ICMP", ("icmp from 10.0.1.0/24",), "allowed", PING),
    inbound("ping, and a rule for one ICMP type", ("icmp 8/0 from 10.0.1.0/24",), "undetermined: icmp", PING),
    inbound(
        "ping, and a rule for TCP alone",
        ("tcp from 10.0.1.0/24",),
        f"{SG}, closest tcp from 10.0.1.0/24",
        PING,
    ),
    inbound(
        "ping of IPv6, and a rule for ICMP of IPv4",
        ("icmp from ::/0",),
        f"{SG}, closest icmp from ::/0",
        "icmpv6 2001:db8::5 > 2001:db8::6",
    ),
    inbound(
        "ping of IPv6 by a rule for all ICMPv6",
        ("icmpv6 from ::/0",),
        "allowed",
        "icmpv6 2001:db8::5 > 2001:db8::6",
    ),
    inbound(
        "of another protocol, a rule allows all ports",
        ("sctp/9 from 10.0.1.0/24",),
        "allowed",
        "sctp 10.0.1.5:1 > 10.0.2.6:36412",
    ),
    inbound("a protocol without ports", ("esp from 10.0.1.0/24",), "allowed", "esp 10.0.1.5 > 10.0.2.6"),
    inbound(
        "the record lacks the port, and the rule is about one",
        ("tcp/5432 from 10.0.1.0/24",),
        "undetermined: port",
        "tcp 10.0.1.5:? > 10.0.2.6:?",
    ),
    inbound(
        "the record lacks the port, and the rule is about all",
        ("tcp from 10.0.1.0/24",),
        "allowed",
        "tcp 10.0.1.5:? > 10.0.2.6:?",
    ),
    inbound(
        "a rule that cannot be read may allow it",
        ("tcp/5432 from ?", "tcp/5432 from 10.9.0.0/16"),
        "undetermined: rule sgr-tcp/5432 from ?",
    ),
    inbound(
        "a rule whose ports cannot be read may allow it",
        ("? from 10.0.1.0/24",),
        "undetermined: rule sgr-? from 10.0.1.0/24",
    ),
    inbound(
        "a rule that cannot be read does not matter if another allows it",
        ("? from ?", "tcp/5432 from 10.0.1.0/24"),
        "allowed",
    ),
    inbound(
        "a rule that cannot be read is about another port",
        ("tcp/22 from ?", "tcp/5432 from 10.9.0.0/16"),
        f"{SG}, closest tcp/5432 from 10.9.0.0/16",
    ),
    Case(
        "a group that cannot be read may allow it",
        rejected(QUERY, WEB, at("subnet-b", "sg-db", "sg-app")),
        configured(OUT, group("sg-db")),
        "undetermined: group sg-app",
    ),
    Case(
        "a group that cannot be read does not matter if another allows it",
        rejected(QUERY, WEB, at("subnet-b", "sg-db", "sg-app")),
        configured(OUT, OPEN),
        "allowed",
    ),
    Case(
        "a peered group, and the source is outside the VPC",
        rejected(FROM_OUTSIDE, OUTSIDE, DB),
        configured(group("sg-db", ("tcp/5432 from sg-peer elsewhere",))),
        "undetermined: peered sg-peer",
    ),
    Case(
        "a peered group, but the source is in the VPC",
        rejected(QUERY, WEB, DB),
        configured(OUT, group("sg-db", ("tcp/5432 from sg-peer elsewhere",))),
        f"{SG}, closest tcp/5432 from sg-peer elsewhere",
    ),
    Case(
        "a peered group for another port",
        rejected(FROM_OUTSIDE, OUTSIDE, DB),
        configured(group("sg-db", ("tcp/443 from sg-peer elsewhere",))),
        SG,
    ),
    Case(
        "the peering connection of a group is gone",
        rejected(FROM_OUTSIDE, OUTSIDE, DB),
        configured(group("sg-db", ("tcp/5432 from sg-peer stale",))),
        f"{SG}, closest tcp/5432 from sg-peer stale",
    ),
    Case(
        "a group of the VPC has no members outside",
        rejected(FROM_OUTSIDE, OUTSIDE, DB),
        configured(group("sg-db", ("tcp/5432 from sg-web",))),
        f"{SG}, closest tcp/5432 from sg-web",
    ),
    Case(
        "no interface with the source's address is known",
        rejected(QUERY, UNKNOWN, DB),
        configured(group("sg-db", ("tcp/5432 from sg-web",))),
        "undetermined: members sg-web",
    ),
    Case(
        "the same, but a network allows it",
        rejected(QUERY, UNKNOWN, DB),
        configured(group("sg-db", ("tcp/5432 from sg-web", "tcp/5432 from 10.0.0.0/8"))),
        "allowed",
    ),
    Case(
        "no outbound rules",
        rejected(QUERY, WEB, DB, "outbound"),
        configured(group("sg-web"), OPEN),
        "denied SG_HAS_NO_RULES by security-groups sg-web outbound",
    ),
    Case(
        "outbound rules for another destination",
        rejected(QUERY, WEB, DB, "outbound"),
        configured(group("sg-web", outbound=("tcp/5432 from 10.0.3.0/24",)), OPEN),
        f"{OUT_SG}, closest tcp/5432 from 10.0.3.0/24",
    ),
    Case(
        "an outbound reference to the group of the destination",
        rejected(QUERY, WEB, DB, "outbound"),
        configured(group("sg-web", outbound=("tcp/5432 from sg-db",)), OPEN),
        "allowed",
    ),
    Case(
        "outbound to the internet, and the rules allow HTTPS",
        rejected("tcp 10.0.1.5:40000 > 203.0.113.9:8443", WEB, OUTSIDE, "outbound"),
        configured(group("sg-web", outbound=("tcp/443 from 0.0.0.0/0",))),
        f"{OUT_SG}, closest tcp/443 from 0.0.0.0/0",
    ),
    Case(
        "inbound rules do not allow outbound packets",
        rejected(QUERY, WEB, DB, "outbound"),
        configured(group("sg-web", ("all from 0.0.0.0/0",)), OPEN),
        "denied SG_HAS_NO_RULES by security-groups sg-web outbound",
    ),
    Case(
        "an interface without security groups and an open network ACL",
        rejected(QUERY, WEB, at("subnet-b")),
        configured(OUT),
        "allowed",
    ),
)

NETWORK_ACLS = (
    arrives(
        "a deny before an allow",
        ("90 deny tcp/5432 10.0.1.0/24", "100 allow all 0.0.0.0/0"),
        f"{ACL} acl-1 inbound rule 90, closest 100",
    ),
    arrives(
        "an allow before a deny", ("100 allow all 0.0.0.0/0", "200 deny tcp/5432 10.0.1.0/24"), "allowed"
    ),
    arrives(
        "entries are evaluated by number, not in EC2's order",
        ("200 deny all 0.0.0.0/0", "100 allow tcp/5432 10.0.0.0/8"),
        "allowed",
    ),
    arrives(
        "the default entry denies",
        ("100 allow tcp/443 0.0.0.0/0",),
        f"{ACL} acl-1 inbound rule *, closest 100",
    ),
    arrives("only the default entry", (), f"{ACL} acl-1 inbound rule *"),
    arrives("a range of an entry", ("100 allow tcp/5000-6000 10.0.1.0/24",), "allowed"),
    arrives(
        "an entry for another network",
        ("100 allow tcp/5432 10.0.9.0/24",),
        f"{ACL} acl-1 inbound rule *, closest 100",
    ),
    arrives(
        "an entry for IPv4 does not allow IPv6",
        ("100 allow all 0.0.0.0/0",),
        f"{ACL} acl-1 inbound rule *, closest 100",
        QUERY6,
    ),
    arrives("an entry for IPv6", ("100 allow tcp/5432 2001:db8::/64",), "allowed", QUERY6),
    arrives(
        "a deny of one ICMP type before an allow",
        ("90 deny icmp 8/0 0.0.0.0/0", "100 allow all 0.0.0.0/0"),
        "undetermined: icmp",
        PING,
    ),
    arrives(
        "an allow of one ICMP type before an allow",
        ("90 allow icmp 8/0 0.0.0.0/0", "100 allow all 0.0.0.0/0"),
        "allowed",
        PING,
    ),
    arrives(
        "an entry that cannot be read, before an allow",
        ("90 deny tcp/5432 ?", "100 allow all 0.0.0.0/0"),
        "undetermined: rule 90",
    ),
    arrives(
        "an entry that cannot be read, after the one that decides",
        ("100 deny all 0.0.0.0/0", "110 allow tcp/5432 ?"),
        f"{ACL} acl-1 inbound rule 100, closest 110",
    ),
    arrives(
        "an entry that cannot be read, but would do the same",
        ("90 allow tcp/5432 ?", "100 allow all 0.0.0.0/0"),
        "allowed",
    ),
    answer("replies to ephemeral ports", ("100 allow tcp/1024-65535 0.0.0.0/0",), "allowed"),
    answer(
        "no rule for ephemeral ports",
        ("100 allow tcp/443 0.0.0.0/0",),
        f"{ACL} acl-1 outbound rule *, closest 100",
    ),
    answer(
        "ephemeral ports of Linux alone, and an older client",
        ("100 allow tcp/32768-60999 0.0.0.0/0",),
        f"{ACL} acl-1 outbound rule *, closest 100",
        "tcp 10.0.1.5:1025 > 10.0.2.6:443",
    ),
    answer(
        "the port of the client is not known",
        ("100 allow tcp/32768-60999 0.0.0.0/0",),
        "undetermined: port",
        "tcp 10.0.1.5:? > 10.0.2.6:443",
    ),
    Case(
        "replies to the client are denied on their way in",
        rejected(ANSWERED, WEB, DB, "inbound", is_reply=True),
        configured(OUT, OPEN, acls={"subnet-a": acl(("100 allow tcp/443 0.0.0.0/0",))}),
        f"{ACL} acl-1 inbound rule *, closest 100",
    ),
    Case(
        "security groups allow replies without a rule",
        rejected(ANSWERED, WEB, DB, "outbound", is_reply=True),
        configured(OUT, group("sg-db", ("tcp/443 from 0.0.0.0/0",)), acls={"subnet-b": acl()}),
        "allowed",
    ),
    Case(
        "within a subnet, no network ACL applies",
        rejected("tcp 10.0.2.7:40000 > 10.0.2.6:5432", NEXT, DB),
        configured(OUT, OPEN, acls={"subnet-b": acl(())}),
        "allowed",
    ),
    Case(
        "no interface with the source's address: it may be in the subnet",
        rejected(QUERY, UNKNOWN, DB),
        configured(OPEN, acls={"subnet-b": acl(())}),
        "undetermined: subnet subnet-b",
    ),
    Case(
        "from outside the VPC, the network ACL applies",
        rejected(FROM_OUTSIDE, OUTSIDE, DB),
        configured(OPEN, acls={"subnet-b": acl(("90 deny tcp 172.31.0.0/16", "100 allow all 0.0.0.0/0"))}),
        f"{ACL} acl-1 inbound rule 90, closest 100",
    ),
    Case(
        "a network ACL that cannot be read",
        rejected(QUERY, WEB, at("subnet-x", "sg-db")),
        configured(OUT, OPEN),
        "undetermined: acl subnet-x",
    ),
    Case(
        "a network ACL on the way out",
        rejected(QUERY, WEB, DB, "outbound"),
        configured(OUT, OPEN, acls={"subnet-a": acl(outbound=("100 allow tcp/443 0.0.0.0/0",))}),
        f"{ACL} acl-1 outbound rule *, closest 100",
    ),
)

SIDES = (
    Case(
        "both reject: the network ACL is the first on the way in",
        rejected(QUERY, WEB, DB),
        configured(OUT, group("sg-db"), acls={"subnet-b": acl(())}),
        f"{ACL} acl-1 inbound rule *; also security-groups sg-db inbound",
    ),
    Case(
        "both reject: the security groups are the first on the way out",
        rejected(QUERY, WEB, DB, "outbound"),
        configured(group("sg-web"), OPEN, acls={"subnet-a": acl(outbound=())}),
        "denied SG_HAS_NO_RULES by security-groups sg-web outbound; also network-acl acl-1 outbound",
    ),
    Case(
        "logged on the way in: outbound rules are not the cause",
        rejected(QUERY, WEB, DB),
        configured(group("sg-web"), OPEN),
        "allowed; also security-groups sg-web outbound",
    ),
    Case(
        "logged on the way out: inbound rules are not the cause",
        rejected(QUERY, WEB, DB, "outbound"),
        configured(OUT, group("sg-db")),
        "allowed; also security-groups sg-db inbound",
    ),
    Case(
        "the side is not known: the first on the path",
        rejected(QUERY, WEB, DB, ""),
        configured(OUT, group("sg-db")),
        "denied SG_HAS_NO_RULES by security-groups sg-db inbound",
    ),
    Case(
        "after the missing rule, replies would be denied, too",
        rejected(QUERY, WEB, DB),
        configured(OUT, group("sg-db"), acls={"subnet-b": acl(outbound=())}),
        "denied SG_HAS_NO_RULES by security-groups sg-db inbound; also reply network-acl acl-1 outbound",
    ),
    Case(
        "the network ACL cannot be read, but the security groups deny",
        rejected(QUERY, WEB, at("subnet-x", "sg-db")),
        configured(OUT, group("sg-db")),
        "denied SG_HAS_NO_RULES by security-groups sg-db inbound",
    ),
    Case("nothing is known of the interface", rejected(QUERY, WEB, OUTSIDE), configured(OUT), "undetermined"),
)

CASES = (*SECURITY_GROUPS, *NETWORK_ACLS, *SIDES)
