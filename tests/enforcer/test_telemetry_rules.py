"""Telemetry enablement rules: which flow logs they made, conflicts, and settings that are of no use."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from flowwarden.enforcer.decide.telemetry_rules import TelemetryRule, TelemetryRules, judge_rules
from flowwarden.enforcer.reporting.alerts import MONTH
from flowwarden.enforcer.reporting.report import EnforcementReport
from flowwarden.enforcer.state.inventory import LogGroup
from tests.enforcer.cases import GOOD_FORMAT, OLD
from tests.enforcer.fakes import ACCOUNT, STACK, Fakes
from tests.enforcer.fakes_ec2 import FakeEc2
from tests.enforcer.runs import AT_ONCE, BORN, RETRY, SWEEP, existing, own, run
from tests.enforcer.test_existing_groups import flow_log_of, group_of

RULE = TelemetryRule(name="flow-logs", log_format=GOOD_FORMAT, traffic_type="ALL")
READS = replace(STACK, existing=("/aws/vpc/*",))


def problems(*rules: TelemetryRule) -> tuple[str, ...]:
    """The problems of these rules."""
    return judge_rules(TelemetryRules(rules=rules), (), READS).problems


@pytest.mark.parametrize(
    ("rule", "made"),
    [
        (RULE, True),
        (replace(RULE, log_format="", traffic_type=""), True),
        (replace(RULE, log_format=GOOD_FORMAT.replace(" ", "  ")), True),
        (replace(RULE, pattern="/aws/<account-id>/<vpc-id>"), False),
        (replace(RULE, traffic_type="REJECT"), False),
        (replace(RULE, log_format="${version}"), False),
    ],
)
def test_a_flow_log_that_is_as_a_rule_makes_it_was_probably_made_by_it(
    rule: TelemetryRule, *, made: bool
) -> None:
    """By destination, format and traffic, as far as the rule determines them."""
    report = judge_rules(TelemetryRules(rules=(rule,)), [flow_log_of("vpc-1")], STACK)
    assert report.made == ((rule.title, ("fl-vpc-1",) if made else ()),)


def test_the_pattern_of_a_group_may_contain_the_account() -> None:
    """And a managed flow log, or one of a subnet, is made by no rule."""
    rule = replace(RULE, pattern="/flow/<account-id>/<vpc-id>")
    there = flow_log_of("vpc-1", log_group_name=f"/flow/{ACCOUNT}/vpc-1")
    found = [there, replace(there, flow_log_id="fl-2", resource_id="subnet-1"), existing("vpc-1")]
    assert judge_rules(TelemetryRules(rules=(rule,)), found, STACK).made[0][1] == ("fl-vpc-1",)


def test_two_rules_for_the_same_vpcs_with_different_settings_conflict() -> None:
    """CloudWatch applies neither. Equal ones, and those with other criteria, do not."""
    other = replace(RULE, name="other", of_organization=True, pattern="/flow/<vpc-id>")
    (conflict, *_) = problems(RULE, other)
    assert (
        "flow-logs of the account and other of the organization ask for different flow logs of all"
        in conflict
    )
    assert not any("ask for" in each for each in problems(RULE, replace(other, criteria="env = 'prod'")))
    assert problems(RULE, replace(RULE, name="same")) == ()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"traffic_type": "REJECT"}, "records only REJECT traffic"),
        ({"log_format": "${version} ${srcaddr} ${dstaddr}"}, "its LogFormat lacks interface-id, srcport"),
        ({"pattern": "/flow/<vpc-id>"}, 'add {"name": "/flow/*"} to log_groups'),
    ],
)
def test_a_rule_whose_flow_logs_cannot_be_used_is_named_with_the_fix(
    changes: dict[str, str], problem: str
) -> None:
    """A rule that leaves something open is judged by its flow logs instead."""
    (found,) = problems(replace(RULE, **changes))
    assert problem in found
    assert problems(RULE) == problems(TelemetryRule(name="open")) == ()


def account(*rules: TelemetryRule) -> Fakes:
    """An account with a VPC that a rule covers, and these rules."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1"), [replace(flow_log_of("vpc-1"), creation_time=OLD)]))
    fakes.existing.add(LogGroup(name=group_of("vpc-1")))
    fakes.rules.found = TelemetryRules(rules=rules)
    return fakes


def sweep(fakes: Fakes, now: int, **changes: Any) -> EnforcementReport:
    """One sweep."""
    return run(fakes.service(AT_ONCE), replace(SWEEP, **changes), now)


def test_rules_are_reported_once_a_month_and_when_they_change() -> None:
    """A new VPC alone is no news. Only a sweep reads them."""
    fakes = account(RULE)
    sweep(fakes, BORN)
    (sent,) = fakes.sink.sent
    assert "TELEMETRY RULES" in sent.text
    assert "- flow-logs of the account: probably made 1 flow log of this account (fl-vpc-1)" in sent.text
    assert sent.document["telemetry_rules"]["rules"][0]["flow_logs"] == ["fl-vpc-1"]
    run(fakes.service(AT_ONCE), RETRY, BORN + 60)
    assert fakes.rules.reads == 1

    def reported(now: int) -> bool:
        before = len(fakes.sink.sent)
        sweep(fakes, now)
        return any("TELEMETRY RULES" in each.text for each in fakes.sink.sent[before:])

    assert not reported(BORN + 24 * 3600)
    fakes.rules.found = TelemetryRules(rules=(replace(RULE, traffic_type="REJECT"),))
    assert reported(BORN + 25 * 3600)
    assert "PROBLEM: flow-logs of the account records only REJECT" in fakes.sink.sent[-1].text
    assert not reported(BORN + 26 * 3600)
    assert reported(BORN + 25 * 3600 + MONTH + 60)


def test_rules_that_cannot_be_read_are_no_news() -> None:
    """Most accounts have none, and some runtimes do not know the service."""
    fakes = account()
    fakes.rules.found = TelemetryRules(unread="observabilityadmin: not available in this runtime")
    report = sweep(fakes, BORN)
    assert report.rules.unread
    assert all("TELEMETRY" not in each.text for each in fakes.sink.sent)
