"""The sweep after a deployment names every VPC, once."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flowwarden.enforcer.reporting.notification import render
from flowwarden.enforcer.reporting.report import EnforcementReport, Result, VpcOutcome
from tests.enforcer.cases import but
from tests.enforcer.fakes import ACCOUNT, Fakes
from tests.enforcer.fakes_ec2 import FakeEc2
from tests.enforcer.runs import BORN, SWEEP, deliver, enforce, existing, own
from tests.examples import examples

DEPLOYED = replace(SWEEP, reason="the stack was deployed", deployed=True)


def report(results: Sequence[Result], *, deployed: bool = True) -> EnforcementReport:
    """A report with one VPC for each result; every VPC has a name."""
    outcomes = tuple(
        VpcOutcome(result=result, vpc_id=f"vpc-{number}", reason="why", flow_log_id="fl-1")
        for number, result in enumerate(results)
    )
    return EnforcementReport(
        account_id=ACCOUNT,
        region="eu-west-1",
        trigger=DEPLOYED if deployed else SWEEP,
        outcomes=outcomes,
        names={each.vpc_id or "": f"name of {each.vpc_id}" for each in outcomes},
    )


@examples(1)
@given(st.lists(st.sampled_from(list(Result)), min_size=1, max_size=40))
def test_every_vpc_is_listed_once_with_its_name(results: list[Result]) -> None:
    """Whatever its result is."""
    found = report(results)
    assert found.is_news
    lines = re.findall(r"^- (vpc-[0-9]+) \((.*?)\): why$", render(found).text, re.MULTILINE)
    assert sorted(lines) == sorted((f"vpc-{i}", f"name of vpc-{i}") for i in range(len(results)))
    listed = render(found).document["outcomes"]
    assert sorted(each["vpc"] for each in listed) == sorted(vpc for vpc, _ in lines)


@pytest.mark.parametrize(
    "result", [Result.COVERED, Result.EXEMPT, Result.SKIPPED, Result.PENDING, Result.GONE]
)
def test_a_later_sweep_lists_no_vpc_that_needs_no_action(result: Result) -> None:
    """If it has no other results, nothing is reported."""
    assert not report([result], deployed=False).is_news
    assert "vpc-0" not in render(report([result, Result.CREATED], deployed=False)).text


def test_a_deployment_that_finds_nothing_to_do_says_so() -> None:
    """The subject is a whole sentence; the next sweep is silent."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1"), [existing()]))
    for trigger in (DEPLOYED, SWEEP):
        deliver(fakes.service(), enforce(fakes, trigger))
    (sent,) = fakes.sink.sent
    assert sent.subject == (
        f"[INFO] 1 VPC checked after a deployment, nothing to change in {ACCOUNT} eu-west-1"
    )


def test_a_name_of_a_vpc_cannot_forge_a_line() -> None:
    """Every principal with permission to tag a VPC can write it."""
    vpc = replace(own("vpc-1")[0], tags={"Name": "x\nNOT COVERED (9)\n" + "y" * 300})
    fakes = Fakes(ec2=FakeEc2([vpc], [but(creation_time=BORN - 60)]))
    text = render(enforce(fakes, DEPLOYED)).text
    assert "\nNOT COVERED (9)" not in text
    assert "y" * 100 not in text


def test_an_account_without_vpcs_is_no_news() -> None:
    """There is nothing to list."""
    assert not enforce(Fakes(ec2=FakeEc2([])), DEPLOYED).is_news
