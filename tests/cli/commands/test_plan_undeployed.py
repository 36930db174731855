"""`flowwarden plan` before a deployment: on an account in memory (moto), through the real clients."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.session import Session, get_session
from moto import mock_aws
from msgspec.structs import replace

from flowwarden.aws.identity import identity
from flowwarden.errors import NotDeployed, SettingsError, StackDenied
from flowwarden_cli.commands import plan
from flowwarden_cli.commands.dry_run import Lookups, PlanOptions
from flowwarden_cli.commands.dry_run import run as run_plan
from flowwarden_cli.main import run
from flowwarden_cli.terminal.console import Console
from tests.template import stack

REGION = "eu-west-1"
GROUP = stack.PARAMETERS["FlowLogGroupName"]["Default"]


def no_stack(stack: str, region: str | None) -> Mapping[str, str]:
    """Find no stack; moto does not answer this call of CloudFormation."""
    raise NotDeployed(f"cannot read stack {stack} in {region}: it does not exist")


OFFLINE = replace(
    plan.COMMAND,
    run=lambda options, console: plan.run(options, console, lookups=Lookups(environment=no_stack)),
)
"""The command, which finds no stack."""


def planned(*arguments: str) -> tuple[int, str, str]:
    """The exit code, the output and the errors of a plan."""
    out, err = BytesIO(), StringIO()
    console = Console(BytesIO(), out, err, shows_progress=False, clock=lambda: 0.0)
    code = run(["plan", "--region", REGION, *arguments], console, [OFFLINE])
    return code, out.getvalue().decode(), err.getvalue()


@cache
def session() -> Session:
    """One session for all tests, because it reads the descriptions of the services once."""
    return get_session()


@pytest.fixture
def account() -> Iterator[Any]:
    """EC2 of an account with one VPC `payments`; the default VPC has no name."""
    with mock_aws():
        boto3.setup_default_session(botocore_session=session())
        ec2 = boto3.client("ec2", region_name=REGION)
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        ec2.create_tags(Resources=[vpc], Tags=[{"Key": "Name", "Value": "payments"}])
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
        ec2.create_network_interface(SubnetId=subnet)
        yield ec2


def vpc_named(ec2: Any, name: str) -> str:
    """The id of a VPC."""
    found: str = ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": [name]}])["Vpcs"][0]["VpcId"]
    return found


def test_without_a_stack_the_plan_uses_the_templates_defaults_and_says_so(account: Any) -> None:
    """Names of VPCs, the required flow logs, and what the deployment creates."""
    code, out, err = planned()
    assert (code, err) == (0, "")
    assert out.startswith(
        "Stack flow-warden is not deployed. Planned with the template's default parameters."
    )
    assert f"The deployment creates the log group {GROUP} and the delivery role." in out
    assert f"{vpc_named(account, 'payments')} (payments): uncovered, has no flow log" in out
    assert f"create a flow log for ALL traffic to {GROUP} (cloud-watch-logs" in out
    assert "VPCs: 2 uncovered" in out
    assert "Plan for account 123456789012, region eu-west-1" in out


def test_nothing_is_changed_and_the_stacks_own_resources_are_no_problem(account: Any) -> None:
    """They do not exist yet: neither the log group nor the role is reported as missing."""
    _, out, _ = planned()
    assert "!" not in out
    assert "create log group" not in out
    assert account.describe_flow_logs()["FlowLogs"] == []


def test_a_policy_and_parameters_replace_the_defaults(account: Any, tmp_path: Path) -> None:
    """The output names them."""
    vpc = vpc_named(account, "payments")
    path = tmp_path / "policy.json"
    exemption = {"where": {"vpcs": [vpc]}, "reason": "a lab"}
    path.write_text(json.dumps({"flow_logs": {"exemptions": [exemption]}}))
    code, out, _ = planned(
        "--policy", str(path), "--parameter", "FlowLogGroupName=/flows", "--stack", "other"
    )
    assert code == 0
    assert out.startswith(
        "Stack other is not deployed. Planned with the template's default parameters, except "
        "FlowLogGroupName, the policy."
    )
    assert "VPCs: 1 exempt, 1 uncovered" in out
    assert "create a flow log for ALL traffic to /flows (" in out


def test_a_stack_that_cannot_be_read_is_an_error_with_advice(account: Any) -> None:
    """Without the permission it is unknown whether there is one: a plan on the defaults might be wrong."""

    def refuse(stack: str, _region: str | None) -> Mapping[str, str]:
        raise StackDenied(f"cannot read stack {stack}: AccessDenied")

    out, err = BytesIO(), StringIO()
    console = Console(BytesIO(), out, err, shows_progress=False, clock=lambda: 0.0)
    options = PlanOptions(stack="flow-warden", region=REGION)
    assert run_plan(options, console, lookups=Lookups(environment=refuse)) == 1
    assert (out.getvalue(), "AccessDenied; --defaults plans without" in err.getvalue()) == (b"", True)
    assert account.describe_flow_logs()["FlowLogs"] == []


def test_other_errors_have_no_advice_that_does_not_help() -> None:
    """Without a Region or credentials, a plan on the defaults cannot be made either."""

    def fail(stack: str, _region: str | None) -> Mapping[str, str]:
        raise SettingsError(f"cannot read stack {stack}: no Region is set")

    out, err = BytesIO(), StringIO()
    console = Console(BytesIO(), out, err, shows_progress=False, clock=lambda: 0.0)
    assert run_plan(PlanOptions(stack="flow-warden"), console, lookups=Lookups(environment=fail)) == 1
    assert err.getvalue() == "error: cannot read stack flow-warden: no Region is set\n"


def test_the_policy_can_be_standard_input(account: Any) -> None:
    """As for `policy check`."""
    out, err = BytesIO(), StringIO()
    policy = BytesIO(b'{"flow_logs": {"default": {"traffic_type": "REJECT"}}}')
    console = Console(policy, out, err, shows_progress=False, clock=lambda: 0.0)
    assert run(["plan", "--region", REGION, "--policy", "-"], console, [OFFLINE]) == 0
    assert "create a flow log for REJECT traffic" in out.getvalue().decode()
    with pytest.raises(SystemExit):
        run(["plan", "--policy", "-", "--settings", "-"], console, [OFFLINE])
    assert account.describe_flow_logs()["FlowLogs"] == []


def test_a_cost_that_rounds_to_nothing_is_stated(account: Any, tmp_path: Path) -> None:
    """The VPCs have no interfaces; without new flow logs, there is no cost to state."""
    _, out, _ = planned()
    assert "Added cost: less than 0.01 USD a month (estimate: " in out
    vpcs = [each["VpcId"] for each in account.describe_vpcs()["Vpcs"]]
    path = tmp_path / "policy.json"
    path.write_text(json.dumps({"flow_logs": {"exemptions": [{"where": {"vpcs": vpcs}, "reason": "x"}]}}))
    assert "Added cost" not in planned("--policy", str(path))[1]


def test_a_value_that_the_template_refuses_is_refused(account: Any) -> None:
    """Before any look at the account."""
    code, out, err = planned("--parameter", "FlowLogRetentionDays=8")
    assert (code, out) == (1, "")
    assert err.startswith("error: parameter FlowLogRetentionDays: '8'; write a retention that")
    assert account.describe_flow_logs()["FlowLogs"] == []


def test_line_breaks_at_the_end_of_a_policy_do_not_count(account: Any, tmp_path: Path) -> None:
    """A shell drops them."""
    path = tmp_path / "policy.json"
    path.write_text("{}" + "\n" * 2000)
    assert planned("--policy", str(path))[0] == 0
    assert account.describe_flow_logs()["FlowLogs"] == []


def test_json_has_the_notes_and_the_names_of_vpcs(account: Any) -> None:
    """The name is null if the VPC has none."""
    code, out, _ = planned("--json", "--defaults")
    document = json.loads(out)
    assert code == 0
    assert document["notes"][0].startswith(
        "Planned as if the stack were not deployed, with the template's default"
    )
    names = {each["vpc"]: each["name"] for each in document["vpcs"]}
    assert names[vpc_named(account, "payments")] == "payments"
    assert None in names.values()


def test_a_policy_that_a_deployment_would_refuse_is_refused(account: Any, tmp_path: Path) -> None:
    """With its message."""
    path = tmp_path / "policy.json"
    for text, message in (
        ('{"exemt": []}', "did you mean exempt?"),
        ('{"exempt": ["0.0.0.0/0"]}', "is too wide"),
        ("{}" + " " * 1800, "1802 characters"),
    ):
        path.write_text(text)
        code, out, err = planned("--policy", str(path))
        assert (code, out) == (1, "")
        assert message in err
    assert account.describe_flow_logs()["FlowLogs"] == []


def test_a_log_group_that_exists_would_fail_the_deployment(account: Any) -> None:
    """The stack creates it; the exit code says that action is needed."""
    boto3.client("logs", region_name=REGION).create_log_group(logGroupName=GROUP)
    code, out, _ = planned()
    assert code == 1
    assert f"The log group {GROUP} exists already, so the deployment would fail" in out
    assert planned("--parameter", "FlowLogGroupName=/flows")[0] == 0
    assert account.describe_flow_logs()["FlowLogs"] == []


def test_the_plan_of_a_second_stack_names_the_first_one(account: Any) -> None:
    """Its default log group is taken, and with another one the plan names the stack that covers the VPC."""
    logs = boto3.client("logs", region_name=REGION)
    logs.create_log_group(logGroupName=GROUP)
    vpc = account.describe_vpcs()["Vpcs"][0]["VpcId"]
    account.create_flow_logs(
        ResourceIds=[vpc],
        ResourceType="VPC",
        TrafficType="ALL",
        LogGroupName=GROUP,
        DeliverLogsPermissionArn="arn:aws:iam::123456789012:role/flow-warden-delivery",
        TagSpecifications=[
            {"ResourceType": "vpc-flow-log", "Tags": [{"Key": "flow-warden:managed", "Value": "flow-warden"}]}
        ],
    )
    code, out, _ = planned("--stack", "second")
    assert (code, "exists already" in out) == (1, True)
    code, out, _ = planned("--stack", "second", "--parameter", "FlowLogGroupName=/flows")
    assert "another Flow Warden stack (flow-warden, by its tag) has flow logs in " in out
    assert (code, "at extra cost" in out) == (0, False)
    assert "another stack" not in planned("--stack", "flow-warden")[1]


def test_a_hostile_name_of_a_vpc_stays_in_its_line(account: Any) -> None:
    """A tag can be set by others."""
    tag = {"Key": "Name", "Value": "x\n! forged\u202e"}
    account.create_tags(Resources=[vpc_named(account, "payments")], Tags=[tag])
    _, out, _ = planned()
    assert "\n! forged" not in out
    assert "\u202e" not in out


def test_wrong_combinations_are_wrong_usage(account: Any, tmp_path: Path) -> None:
    """A file of settings contains every setting."""
    for more in (("--defaults",), ("--parameter", "DryRun=yes")):
        with pytest.raises(SystemExit) as ended:
            planned("--settings", str(tmp_path / "settings.json"), *more)
        assert ended.value.code == 2
    assert account.describe_flow_logs()["FlowLogs"] == []


def test_the_identity_is_that_of_the_credentials() -> None:
    """The partition comes from the ARN."""
    with mock_aws():
        found = identity("cn-north-1")
    assert (found.account_id, found.region, found.partition) == ("123456789012", "cn-north-1", "aws-cn")
