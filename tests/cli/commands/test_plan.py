"""`flowwarden plan` prints what the enforcer would do, and changes nothing."""

from __future__ import annotations

import json
from io import BytesIO, StringIO
from pathlib import Path

import pytest

from flowwarden.enforcer.state.inventory import LogGroup, Vpc
from flowwarden.errors import CallRefused
from flowwarden.network.interface import NetworkInterface
from flowwarden.state import heartbeats
from flowwarden_cli.commands.command import FINE
from flowwarden_cli.commands.dry_run import NOT_SEEN, Question, run
from flowwarden_cli.terminal.console import Console
from tests.enforcer.cases import BESIDE, but, foreign, seen
from tests.enforcer.fakes import ACCOUNT, GROUP, STACK, Fakes
from tests.enforcer.fakes_ec2 import FakeEc2
from tests.functions.test_enforcer_events import ENVIRONMENT

NOW = 1_793_611_800


class Terminal:
    """A console that records its output."""

    def __init__(self) -> None:
        self.out, self.err = BytesIO(), StringIO()
        self.console = Console(
            BytesIO(), self.out, self.err, shows_progress=False, clock=lambda: 0.0, now=lambda: NOW
        )

    @property
    def text(self) -> str:
        """The output."""
        return self.out.getvalue().decode()


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """The enforcer's variables in a file."""
    path = tmp_path / "settings.json"
    environment = {**ENVIRONMENT, "LOG_FORMAT": STACK.log_format, "FLOW_LOG_RETENTION_DAYS": "30"}
    path.write_text(json.dumps(environment))
    return path


def world() -> Fakes:
    """A VPC with the stack's old format, one that is covered twice, and one with no flow log."""
    ec2 = FakeEc2(
        [Vpc(vpc_id=f"vpc-{number}", owner_id=ACCOUNT) for number in (1, 2, 3)],
        [
            but(log_format="${version}"),
            but(flow_log_id="fl-2", resource_id="vpc-2"),
            foreign(resource_id="vpc-2", log_group_name="foreign"),
        ],
        [NetworkInterface(interface_id="eni-0a", vpc_id="vpc-1")],
    )
    fakes = Fakes(ec2=ec2)
    fakes.groups.there = {GROUP: LogGroup(name=GROUP, retention_days=7)}
    for each in heartbeats.additions(GROUP, seen("eni-0a", at=NOW)[GROUP]):
        fakes.evidence.add(each)
    return fakes


def test_a_log_group_without_records_requires_action(settings: Path) -> None:
    """The plan is printed, and the exit code is 1."""
    terminal, fakes = Terminal(), world()
    fakes.evidence.items.clear()
    assert run(Question(stack="x", settings=settings), terminal.console, lambda _: fakes.aws()) == NOT_SEEN
    assert f"! {GROUP}: the monitor sees no record at all" in terminal.text
    assert "VPCs: 1 covered, 2 uncovered" in terminal.text


def test_the_plan_contains_steps_reasons_and_costs(settings: Path) -> None:
    """Log groups, then VPCs with steps, then duplicates, counts and cost."""
    terminal, fakes = Terminal(), world()
    assert run(Question(stack="x", settings=settings), terminal.console, lambda _: fakes.aws()) == FINE
    for line in (
        "Plan for account 111122223333, region eu-west-1",
        f"  keep the records of {GROUP} for 30 days (records were kept for 7 days: 30 days again)",
        f"  make the log group {BESIDE} (the log group was missing",
        "vpc-1: uncovered, has only fl-1 (another log format)",
        f"  1. create a flow log of ALL traffic into {BESIDE} (cloud-watch-logs, every 60 s), about 0.03 USD",
        "  2. look again after 20 min whether it delivers; then our old one is deleted",
        "vpc-2: fl-foreign record the same traffic, and cost as much again; not ours",
        "VPCs: 1 covered, 2 uncovered",
        "Added cost: about 0.03 USD a month (an estimate from 20 records a minute",
    ):
        assert line in terminal.text
    assert isinstance(fakes.ec2, FakeEc2)
    assert (fakes.ec2.asked, fakes.groups.done, fakes.queue.writes, fakes.sink.sent) == ([], [], 0, [])


def test_json_contains_the_same(settings: Path) -> None:
    """For programs."""
    terminal = Terminal()
    question = Question(stack="x", settings=settings, as_json=True)
    assert run(question, terminal.console, lambda _: world().aws()) == FINE
    document = json.loads(terminal.text)
    assert [each["type"] for each in document["log_groups"]] == [
        *("PutRetentionPolicy", "PutSubscriptionFilter"),
        *("CreateLogGroup", "PutRetentionPolicy", "PutSubscriptionFilter"),
    ]
    assert [[step["type"] for step in each["steps"]] for each in document["vpcs"]] == [
        ["Create", "Verify"],
        [],
        ["Create", "Verify"],
    ]
    assert document["vpcs"][0]["steps"][0]["flow_log"]["destination"] == BESIDE
    assert document["monthly_dollars"] == 0.03


def test_a_new_policy_can_be_planned_before_it_is_deployed(settings: Path, tmp_path: Path) -> None:
    """The new policy exempts a VPC."""
    policy = tmp_path / "policy.json"
    policy.write_text(
        '{"flow_logs": {"exemptions": [{"where": {"vpcs": ["vpc-1", "vpc-3"]}, "reason": "a lab"}]}}'
    )
    terminal = Terminal()
    question = Question(stack="x", settings=settings, policy=policy)
    assert run(question, terminal.console, lambda _: world().aws()) == FINE
    assert "VPCs: 1 covered, 2 exempt" in terminal.text


def test_an_empty_plan_is_reported(settings: Path) -> None:
    """Without costs."""
    terminal = Terminal()
    fakes = Fakes(ec2=FakeEc2([Vpc(vpc_id="vpc-1", owner_id=ACCOUNT)], [but()]))
    assert run(Question(stack="x", settings=settings), terminal.console, lambda _: fakes.aws()) == FINE
    assert "Nothing to do.\nVPCs: 1 covered\n" in terminal.text


def test_unreadable_or_unusable_dependencies_of_flow_logs_are_reported(settings: Path) -> None:
    """Then "nothing to do" would be a guess; the delivery role is checked, too."""
    fakes = Fakes(ec2=FakeEc2([Vpc(vpc_id="vpc-1", owner_id=ACCOUNT)], [but()]))
    fakes.groups.fault, fakes.roles.role = CallRefused("AccessDeniedException"), None
    for as_json in (False, True):
        terminal = Terminal()
        question = Question(stack="x", settings=settings, as_json=as_json)
        assert run(question, terminal.console, lambda _: fakes.aws()) == NOT_SEEN
        assert "could not be looked at: AccessDeniedException" in terminal.text
        assert "the delivery role delivery is gone" in terminal.text
        assert "Nothing to do" not in terminal.text


def test_unreadable_input_is_an_error(settings: Path, tmp_path: Path) -> None:
    """For AWS, the settings and the policy; the message names the source."""
    refusing = Fakes(ec2=FakeEc2(list_fault=CallRefused("UnauthorizedOperation")))
    terminal = Terminal()
    assert run(Question(stack="x", settings=settings), terminal.console, lambda _: refusing.aws()) == NOT_SEEN
    assert "! UnauthorizedOperation" in terminal.text
    broken = tmp_path / "broken.json"
    broken.write_text("[]")
    binary = tmp_path / "binary.json"
    binary.write_bytes(b"\xff\xfe{}")
    for question, expected in (
        (Question(stack="x", settings=broken), "it must be a JSON object of variables"),
        (Question(stack="x", settings=tmp_path / "none.json"), "none.json"),
        (Question(stack="x", settings=settings, policy=broken), "policy"),
        (Question(stack="x", settings=settings, policy=binary), "binary.json: "),
        (Question(stack="x", settings=binary), "binary.json: "),
    ):
        terminal = Terminal()
        assert run(question, terminal.console, lambda _: world().aws()) == NOT_SEEN
        assert expected in terminal.err.getvalue()
