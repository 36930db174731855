"""A rejection is explained by the rules that EC2 describes when the page goes out."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from flowwarden.monitor.render import blocked_by
from flowwarden.monitor.rules.explainer import CLOSING, REQUESTS, SECONDS, SLOWEST, RuleExplainer
from flowwarden.monitor.rules.explanation import Explanation
from flowwarden.monitor.rules.reader import FRESH_SECONDS, PAUSE_SECONDS
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.interface import NetworkInterface
from flowwarden.network.rules.check import Outcome
from flowwarden.notify.run import RESERVE
from flowwarden.records.model import FlowDirection
from flowwarden.state.rule_changes import ROUTES, RuleChange
from flowwarden.state.sets import DAY
from tests.flows import START, directed, flow, rejected
from tests.monitor.fakes_rules import FakeChanges, FakeRules
from tests.network.rules.written import acl, group

IN, OUT = FlowDirection.INGRESS, FlowDirection.EGRESS
NETWORKS = ("10.0.0.0/16",)
WEB = NetworkInterface(
    interface_id="eni-web",
    vpc_id="vpc-1",
    subnet_id="subnet-a",
    addresses=("10.0.1.5",),
    security_groups=("sg-web",),
    instance_id="i-web",
)
DB = NetworkInterface(
    interface_id="eni-db",
    vpc_id="vpc-1",
    subnet_id="subnet-b",
    addresses=("10.0.2.6",),
    security_groups=("sg-db",),
    instance_id="i-db",
)
WEB_RULES = group("sg-web", outbound=("all from 0.0.0.0/0",))
ASKED = {"tcp_flags": 2, "vpc_id": "vpc-1", "flow_direction": IN, "interface_id": "eni-db"}


def query(**given: object) -> DirectedFlow:
    """A rejected connection of web to the database, logged at the database."""
    (found,) = directed(rejected("10.0.1.5:40000", "10.0.2.6:5432", **(ASKED | given)))
    return found


def rules(*db: str) -> FakeRules:
    """The rules of the account, with these inbound rules of the database."""
    known = {"sg-web": WEB_RULES, "sg-db": group("sg-db", db)}
    return FakeRules((WEB, DB), known, {"subnet-a": acl(acl_id="acl-a"), "subnet-b": acl(acl_id="acl-b")})


def explained(
    directory: FakeRules,
    example: DirectedFlow | None = None,
    changes: FakeChanges | None = None,
    left: float = 40.0,
) -> Explanation:
    """What a new container says about one rejection."""
    container = RuleExplainer(directory, changes, pytest.fail)
    return container.for_batch(START, lambda: left, lambda _: NETWORKS)(example or query())


def words(found: Explanation) -> str:
    """The sentence on the page."""
    return blocked_by.summary(found)


def test_the_page_names_the_missing_rule_and_the_closest() -> None:
    """One rule for another source, one for another port."""
    found = explained(rules("tcp/5432 from 10.0.9.0/24", "tcp/22 from 10.0.1.0/24"))
    assert words(found) == (
        "No inbound rule of sg-db (db) allows tcp/5432 from 10.0.1.5; the closest is "
        "sgr-tcp/5432 from 10.0.9.0/24: tcp/5432 from 10.0.9.0/24. (ENI_SG_RULES_MISMATCH)"
    )


def test_a_reference_is_resolved_by_the_interface_at_the_far_end() -> None:
    """The group of web is referred to, so the rule allows its interface."""
    found = explained(rules("tcp/5432 from sg-web"))
    assert found.verdict
    assert found.verdict.outcome is Outcome.ALLOWED
    assert words(found).startswith("Nothing now: the inbound rules of network ACL acl-b and sg-db (db) allow")


def test_a_rejection_on_the_way_out_is_explained_by_outbound_rules() -> None:
    """The same connection, logged at web, whose group has no outbound rules."""
    directory = rules("all from 0.0.0.0/0")
    directory.known = {**directory.known, "sg-web": group("sg-web")}
    found = explained(directory, query(flow_direction=OUT, interface_id="eni-web"))
    assert words(found) == "sg-web (web) has no outbound rules. (SG_HAS_NO_RULES)"


def test_a_rejected_reply_is_explained_by_the_network_acl() -> None:
    """The request was accepted; the reply needs a rule for the client's port."""
    directory = rules("all from 0.0.0.0/0")
    directory.at = {
        **directory.at,
        "subnet-b": acl(outbound=("100 allow tcp/443 0.0.0.0/0",), acl_id="acl-b"),
    }
    ends, at = ("10.0.1.5:40000", "10.0.2.6:443"), {"interface_id": "eni-db", "vpc_id": "vpc-1"}
    _, reply = directed(
        flow(*ends, tcp_flags=2, flow_direction=IN, **at),
        rejected(*ends[::-1], tcp_flags=18, flow_direction=OUT, **at),
    )
    assert words(explained(directory, reply)) == (
        "No outbound rule of network ACL acl-b of subnet-b allows the reply tcp/40000 to 10.0.1.5; "
        "the closest is rule 100: tcp/443 to 0.0.0.0/0. (SUBNET_ACL_RESTRICTION)"
    )


@pytest.mark.parametrize("port", [0, None])
@pytest.mark.parametrize("answers", ["icmp 0 0.0.0.0/0", "icmp 3/4 0.0.0.0/0"])
def test_no_rule_is_blamed_for_a_reply_of_an_unknown_icmp_type(port: int | None, answers: str) -> None:
    """A record contains no ICMP type, only a 0 or nothing instead of the ports."""
    directory = rules()
    outbound = acl(outbound=(f"100 allow {answers}",), acl_id="acl-b")
    directory.at = {**directory.at, "subnet-b": outbound}
    ping = replace(query(protocol=1), client_port=port, service_port=port)
    found = explained(directory, ping)
    assert found.verdict
    assert found.verdict.by
    assert found.verdict.by.ids == ("sg-db",)
    assert found.verdict.also == ()


def test_a_deny_rule_is_named_with_the_rule_that_comes_too_late() -> None:
    """Rule 90 denies what rule 100 would allow."""
    directory = rules("all from 0.0.0.0/0")
    entries = "90 deny tcp/5432 10.0.1.0/24", "100 allow all 0.0.0.0/0"
    directory.at = {**directory.at, "subnet-b": acl(entries, acl_id="acl-b")}
    assert words(explained(directory)) == (
        "Network ACL acl-b of subnet-b: inbound rule 90 denies tcp/5432 from 10.0.1.5; the closest "
        "allow rule is rule 100: all traffic from 0.0.0.0/0. (SUBNET_ACL_RESTRICTION)"
    )


def test_without_an_interface_at_the_far_end_a_reference_leaves_it_open() -> None:
    """The address is in the VPC, but EC2 describes no interface with it."""
    directory = rules("tcp/5432 from sg-web")
    directory.interfaces = (DB,)
    assert words(explained(directory)) == (
        "Undetermined: a rule refers to sg-web, and EC2 describes no interface with the address of the far "
        "end."
    )


def test_an_internet_host_is_not_looked_up() -> None:
    """It has no interface in the VPC."""
    directory = rules()
    (out,) = directed(
        rejected(
            "10.0.1.5:40000", "203.0.113.9:443", **ASKED | {"flow_direction": OUT, "interface_id": "eni-web"}
        )
    )
    found = explained(directory, out)
    assert found.verdict
    assert "interface_at" not in directory.calls


def test_what_a_record_lacks_is_the_reason() -> None:
    """Without the interface, the direction or the protocol, nothing is asked."""
    directory = rules()
    lacking = {"interface_id": "interface", "protocol": "protocol"}
    for name, word in lacking.items():
        found = explained(directory, query(**{name: None}))
        assert words(found) == f"Undetermined: the record does not contain the {word}."
    example = replace(query(), side=None)
    assert words(explained(directory, example)) == "Undetermined: the record does not show the direction."
    assert directory.calls == []


def test_a_cause_that_the_record_names_is_the_reason() -> None:
    """VPC Block Public Access rejects packets whatever the rules are."""
    directory = rules()
    found = explained(directory, query(reject_reason="BPA"))
    assert words(found) == "Undetermined: the record states another cause: VPC Block Public Access."
    assert directory.calls == []


def test_each_refused_call_costs_its_own_part_alone() -> None:
    """The security groups deny; network ACLs and the far end do not change that."""
    for refused in ("acls", "interface_at"):
        directory = rules("tcp/22 from 10.0.0.0/8")
        directory.refused = {refused}
        found = explained(directory)
        assert found.verdict
        assert found.verdict.outcome is Outcome.DENIED, refused


def test_a_refused_call_that_matters_is_the_reason() -> None:
    """Without its rules, or without the interface, no component is blamed."""
    for refused in ("groups", "interface"):
        directory = rules("tcp/22 from 10.0.0.0/8")
        directory.refused = {refused}
        assert words(explained(directory)).startswith(f"Undetermined: EC2 refused {refused} (Unauthorized")


def test_after_a_call_that_hung_nothing_is_asked_for_a_minute() -> None:
    """Each further page would wait as long."""
    directory = rules()
    directory.away = "EC2 did not answer DescribeNetworkInterfaces within 2 s"
    container = RuleExplainer(directory, None, pytest.fail)
    for later in (0, 1, PAUSE_SECONDS - 1):
        found = container.for_batch(START + later, lambda: 40.0, lambda _: NETWORKS)(query())
        assert words(found) == f"Undetermined: {directory.away}."
    assert directory.calls == ["interface"]
    directory.away = ""
    found = container.for_batch(START + PAUSE_SECONDS, lambda: 40.0, lambda _: NETWORKS)(query())
    assert words(found) == "sg-db (db) has no inbound rules. (SG_HAS_NO_RULES)"


def test_what_was_read_is_used_again_for_a_minute() -> None:
    """A rule that is repaired is seen after that."""
    directory = rules()
    container = RuleExplainer(directory, None, pytest.fail)
    for later in (0, FRESH_SECONDS - 1):
        container.for_batch(START + later, lambda: 40.0, lambda _: NETWORKS)(query())
    assert len(directory.calls) == len(set(directory.calls))
    before = len(directory.calls)
    container.for_batch(START + FRESH_SECONDS, lambda: 40.0, lambda _: NETWORKS)(query())
    assert len(directory.calls) == 2 * before


def test_a_batch_takes_a_bounded_number_of_seconds() -> None:
    """Calls that take long, but answer, are stopped by the budget of the batch."""
    left = [40.0]
    directory = rules()

    def wait() -> None:
        left[0] -= 1.5

    directory.wait = wait
    explain = RuleExplainer(directory, None, pytest.fail).for_batch(
        START, lambda: left[0], lambda _: NETWORKS
    )
    for host in range(20):
        explain(query(interface_id=f"eni-{host}"))
    assert 40.0 - left[0] <= SECONDS + 1.5


def test_a_batch_makes_a_bounded_number_of_requests() -> None:
    """However many interfaces it is about."""
    directory = rules()
    explain = RuleExplainer(directory, None, pytest.fail).for_batch(START, lambda: 40.0, lambda _: NETWORKS)
    found = [explain(query(interface_id=f"eni-{host}")) for host in range(REQUESTS + 1)]
    assert len(directory.calls) == REQUESTS
    assert words(found[-1]) == "Undetermined: the requests for lookups of this batch were used up."


def test_no_request_begins_when_little_time_is_left() -> None:
    """The page must be sent and its claim confirmed."""
    directory = rules()
    found = explained(directory, left=CLOSING)
    assert directory.calls == []
    assert words(found) == "Undetermined: the time for lookups of this batch was used up."


def test_after_a_request_that_hangs_other_notifications_are_still_claimed() -> None:
    """Without a claim, a notification could be sent twice."""
    left = [CLOSING + 0.1]
    directory = rules()

    def hang() -> None:
        left[0] -= SLOWEST

    directory.wait = hang
    RuleExplainer(directory, None, pytest.fail).for_batch(START, lambda: left[0], lambda _: NETWORKS)(query())
    assert directory.calls == ["interface"]
    assert left[0] >= RESERVE


def change(resource: str, at: int = START - 180, **given: str) -> RuleChange:
    """A change of a resource."""
    parts = {
        "call": "RevokeSecurityGroupIngress",
        "call_id": "e-1",
        "actor": "arn:aws:iam::111122223333:user/ada",
    }
    return RuleChange(resource=resource, at=at, **(parts | given))


def test_the_page_lists_the_latest_changes_of_what_can_be_the_cause() -> None:
    """Of its groups and network ACL, and of the groups of both interfaces; not of others."""
    changes = FakeChanges(
        [change("sg-db"), change("sg-other"), change("i-web", START - 60, call="ModifyInstanceAttribute")]
    )
    found = explained(rules(), changes=changes)
    assert [each.resource for each in found.changes] == ["i-web", "sg-db"]
    rows = blocked_by.rows(found, START)
    text = (
        "RevokeSecurityGroupIngress of sg-db by arn:aws:iam::111122223333:user/ada at 2025-11-24 15:57:00 "
        "UTC, 3 min before the first rejection of this batch"
    )
    assert rows[-1] == ("Changed", text)


def test_a_change_of_a_prefix_list_is_listed_if_a_rule_refers_to_the_list() -> None:
    """The rule did not change, but what it allows."""
    changed, other = (change(each, call="ModifyManagedPrefixList") for each in ("pl-1", "pl-2"))
    directory = rules("tcp/5432 from pl-1")
    directory.lists = {"pl-1": ()}
    assert explained(directory, changes=FakeChanges([changed, other])).changes == (changed,)


def test_a_change_of_a_route_is_listed_if_the_route_leads_to_the_far_end() -> None:
    """Routes are remembered without the subnets that use them."""
    there, elsewhere = (
        change(ROUTES, call="ReplaceRoute", what=f"{each} of rtb-1", destination=each)
        for each in ("10.0.1.0/24", "10.9.0.0/16")
    )
    found = explained(rules(), changes=FakeChanges([there, elsewhere]))
    assert found.changes == (there,)


def test_a_change_of_the_day_before_is_not_asked_for() -> None:
    """A day is remembered."""
    found = explained(rules(), changes=FakeChanges([change("sg-db", START - DAY - 1)]))
    assert found.changes == ()


def test_without_the_table_the_verdict_stays() -> None:
    """The row says that changes are unknown."""
    found = explained(rules(), changes=FakeChanges(away=True))
    assert words(found) == "sg-db (db) has no inbound rules. (SG_HAS_NO_RULES)"
    assert blocked_by.rows(found, START)[-1] == (
        "Changed",
        "unknown: the state table did not return the changes of rules",
    )


def test_a_fault_of_the_evaluation_costs_no_page() -> None:
    """It is logged, and the verdict is undetermined."""
    logged: list[str] = []
    directory = rules()

    def wait() -> None:
        raise IndexError("by the test")

    directory.wait = wait
    explain = RuleExplainer(directory, None, logged.append).for_batch(START, lambda: 40.0, lambda _: NETWORKS)
    assert words(explain(query())) == "Undetermined: an error in the evaluation (IndexError)."
    assert logged == ["rules were not evaluated: IndexError('by the test')"]


def test_no_text_is_formed_and_no_lookup_is_made_for_nothing() -> None:
    """A page without a lookup has neither row nor document."""
    assert blocked_by.rows(None, START) == []
    assert blocked_by.document(None) is None
