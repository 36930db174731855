"""`flowwarden plan` prints what the enforcer would do, and changes nothing."""

from __future__ import annotations

import json
from io import BytesIO, StringIO
from pathlib import Path

import pytest

from flowwarden.enforcer.state.inventory import Vpc
from flowwarden.errors import CallRefused
from flowwarden_cli.commands.command import SUCCEEDED
from flowwarden_cli.commands.dry_run import INCOMPLETE, PlanOptions, run
from flowwarden_cli.main import main
from flowwarden_cli.terminal.console import Console
from tests.cli.fakes_account import NOW, SETTINGS, deployed
from tests.enforcer.cases import ALTERNATE_GROUP, but
from tests.enforcer.fakes import ACCOUNT, GROUP, Fakes
from tests.enforcer.fakes_ec2 import FakeEc2


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
    path.write_text(json.dumps(SETTINGS))
    return path


def test_a_log_group_without_records_requires_action(settings: Path) -> None:
    """The plan is printed, and the exit code is 1."""
    terminal, fakes = Terminal(), deployed()
    fakes.evidence.items.clear()
    assert (
        run(PlanOptions(stack="x", settings=settings), terminal.console, lambda _: fakes.aws()) == INCOMPLETE
    )
    assert f"! {GROUP}: the monitor sees no records" in terminal.text
    assert "VPCs: 1 covered, 2 uncovered" in terminal.text


def test_the_plan_contains_steps_reasons_and_costs(settings: Path) -> None:
    """Log groups, then VPCs with steps, then duplicates, counts and cost."""
    terminal, fakes = Terminal(), deployed()
    assert (
        run(PlanOptions(stack="x", settings=settings), terminal.console, lambda _: fakes.aws()) == SUCCEEDED
    )
    for line in (
        "Plan for account 111122223333, region eu-west-1",
        f"  set the retention of {GROUP} to 30 days (retention was 7 days; required: 30 days)",
        f"  create log group {ALTERNATE_GROUP} (the log group was missing",
        "vpc-1: uncovered, has only fl-1 (different log format)",
        f"  1. create a flow log for ALL traffic to {ALTERNATE_GROUP} (cloud-watch-logs, ",
        "aggregation interval 60 s), about 0.03 USD",
        "  2. check delivery after 20 min; then delete the old managed flow log",
        "vpc-2: unmanaged flow logs record the same traffic, at extra cost: fl-unmanaged",
        "VPCs: 1 covered, 2 uncovered",
        "Added cost: about 0.03 USD a month (estimate: 20 records per minute",
    ):
        assert line in terminal.text
    assert isinstance(fakes.ec2, FakeEc2)
    assert (fakes.ec2.asked, fakes.groups.done, fakes.queue.writes, fakes.sink.sent) == ([], [], 0, [])


def test_json_contains_the_same_plan(settings: Path) -> None:
    """Programs read it."""
    terminal = Terminal()
    options = PlanOptions(stack="x", settings=settings, as_json=True)
    assert run(options, terminal.console, lambda _: deployed().aws()) == SUCCEEDED
    document = json.loads(terminal.text)
    assert [each["type"] for each in document["log_groups"]] == [
        *("PutRetentionPolicy", "PutSubscriptionFilter", "ProtectLogGroup"),
        *("CreateLogGroup", "PutRetentionPolicy", "PutSubscriptionFilter", "ProtectLogGroup"),
    ]
    assert [[step["type"] for step in each["steps"]] for each in document["vpcs"]] == [
        ["Create", "Verify"],
        [],
        ["Create", "Verify"],
    ]
    assert document["vpcs"][0]["steps"][0]["flow_log"]["destination"] == ALTERNATE_GROUP
    assert document["monthly_dollars"] == 0.03


def test_a_new_policy_can_be_planned_before_it_is_deployed(settings: Path, tmp_path: Path) -> None:
    """The new policy exempts a VPC."""
    policy = tmp_path / "policy.json"
    policy.write_text(
        '{"flow_logs": {"exemptions": [{"where": {"vpcs": ["vpc-1", "vpc-3"]}, "reason": "a lab"}]}}'
    )
    terminal = Terminal()
    options = PlanOptions(stack="x", settings=settings, policy=policy)
    assert run(options, terminal.console, lambda _: deployed().aws()) == SUCCEEDED
    assert "VPCs: 1 covered, 2 exempt" in terminal.text


def test_an_empty_plan_is_reported(settings: Path) -> None:
    """Without costs."""
    terminal = Terminal()
    fakes = Fakes(ec2=FakeEc2([Vpc(vpc_id="vpc-1", owner_id=ACCOUNT)], [but()]))
    assert (
        run(PlanOptions(stack="x", settings=settings), terminal.console, lambda _: fakes.aws()) == SUCCEEDED
    )
    assert "Nothing to do.\nVPCs: 1 covered\n" in terminal.text


def test_unreadable_or_unusable_dependencies_of_flow_logs_are_reported(settings: Path) -> None:
    """Then "nothing to do" would be a guess; the delivery role is checked, too."""
    fakes = Fakes(ec2=FakeEc2([Vpc(vpc_id="vpc-1", owner_id=ACCOUNT)], [but()]))
    fakes.groups.fault, fakes.roles.role = CallRefused("AccessDeniedException"), None
    for as_json in (False, True):
        terminal = Terminal()
        options = PlanOptions(stack="x", settings=settings, as_json=as_json)
        assert run(options, terminal.console, lambda _: fakes.aws()) == INCOMPLETE
        assert "could not be read: AccessDeniedException" in terminal.text
        assert "the delivery role delivery does not exist" in terminal.text
        assert "Nothing to do" not in terminal.text


def test_unreadable_input_is_an_error(settings: Path, tmp_path: Path) -> None:
    """For AWS, the settings and the policy; the message names the source."""
    refusing = Fakes(ec2=FakeEc2(list_fault=CallRefused("UnauthorizedOperation")))
    terminal = Terminal()
    assert (
        run(PlanOptions(stack="x", settings=settings), terminal.console, lambda _: refusing.aws())
        == INCOMPLETE
    )
    assert "! UnauthorizedOperation" in terminal.text
    broken = tmp_path / "broken.json"
    broken.write_text("[]")
    binary = tmp_path / "binary.json"
    binary.write_bytes(b"\xff\xfe{}")
    incomplete = tmp_path / "incomplete.json"
    incomplete.write_text('{"AWS_REGION": "us-east-1"}')
    lasting = tmp_path / "lasting.json"
    lasting.write_text(settings.read_text().replace("{", '{"SUPPRESSION_MINUTES": "0", ', 1))
    for options, expected in (
        (
            PlanOptions(stack="x", settings=incomplete),
            "incomplete.json: member OPERATIONS_TOPIC_ARN is missing",
        ),
        (PlanOptions(stack="x", settings=lasting), "lasting.json: member SUPPRESSION_MINUTES='0': Expected"),
        (PlanOptions(stack="x", settings=broken), "write a JSON object that maps each variable to a string"),
        (PlanOptions(stack="x", settings=tmp_path / "none.json"), "none.json: No such file"),
        (PlanOptions(stack="x", settings=settings, policy=tmp_path), f"{tmp_path}: Is a directory"),
        (PlanOptions(stack="x", settings=settings, policy=broken), "policy"),
        (PlanOptions(stack="x", settings=settings, policy=binary), "binary.json: is not UTF-8"),
        (PlanOptions(stack="x", settings=binary), "binary.json: is not UTF-8"),
    ):
        terminal = Terminal()
        assert run(options, terminal.console, lambda _: deployed().aws()) == INCOMPLETE
        assert expected in terminal.err.getvalue()


@pytest.mark.parametrize("option", ["--policy", "--settings"])
def test_an_empty_name_of_a_file_is_wrong_usage(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A script's variable that is not set; it is not the current folder."""
    with pytest.raises(SystemExit) as ended:
        main(["plan", option, ""])
    assert ended.value.code == 2
    assert "the value is empty" in capsys.readouterr().err
