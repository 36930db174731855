"""The sandbox of `make up`: events go to deployed functions, and `make down` ends it."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from local.environment import PROJECT
from local.payload import AccountState, read
from local.sandbox import NotUp, Sandbox, State
from local.scenario import Stage
from local.terminal import Terminal

EVENTS = PROJECT / "events"


@pytest.mark.e2e
def test_an_event_goes_to_its_function_and_its_notifications_are_shown_once(
    stage: Stage, state: State
) -> None:
    """The monitor pages; the enforcer covers a VPC that was created for the event."""
    assert state.notifications(seconds=0) == []
    result, failed = state.invoke(read(EVENTS / "monitor" / "host-probing.json"))
    assert not failed
    assert isinstance(result, dict)
    assert result["Findings"] >= 1
    assert [each.detector for each in state.notifications(seconds=10)] == ["host-probing"]
    assert state.notifications(seconds=0) == []
    result, failed = state.invoke(read(EVENTS / "enforcer" / "create-vpc.json"))
    assert not failed
    assert isinstance(result, dict)
    (vpc,) = result["created"]
    assert [group for _, group in stage.flow_logs(vpc)] == [stage.stack.flow_log_group]


@pytest.mark.e2e
def test_the_settings_of_an_event_apply_to_it_alone(stage: Stage, state: State) -> None:
    """A sweep in dry-run mode creates no flow log; then the function has its own settings again."""
    before = stage.clients.ec2.describe_flow_logs()["FlowLogs"]
    event = read(EVENTS / "enforcer" / "sweep-dry-run.json")
    result, failed = state.invoke(replace(event, account=AccountState()))
    assert not failed
    assert isinstance(result, dict)
    assert "plan" in result
    assert stage.clients.ec2.describe_flow_logs()["FlowLogs"] == before
    function = stage.clients.functions.get_function_configuration(FunctionName=stage.stack.enforcer)
    assert function["Environment"]["Variables"]["DRY_RUN"] == "false"


@pytest.mark.e2e
def test_a_second_start_finds_the_running_one(sandbox: Sandbox, state: State, output: io.StringIO) -> None:
    """And the variables for a shell name its endpoint."""
    assert sandbox.up() == 0
    assert sandbox.state() == state
    assert state.endpoint in output.getvalue()
    assert f"export AWS_ENDPOINT_URL={state.endpoint}\n" in sandbox.variables.read_text()


@pytest.mark.e2e
def test_an_empty_inbox_says_so(stage: Stage, sandbox: Sandbox, output: io.StringIO) -> None:
    """The notifications of other tests were taken."""
    assert stage.pages.take() == []
    output.truncate(0)
    assert sandbox.inbox() == 0
    assert "No notifications since the last `make send` or `make inbox`" in output.getvalue()


def test_a_command_that_needs_a_sandbox_says_how_to_start_it() -> None:
    """The error names the command."""
    sandbox = Sandbox(Terminal(io.StringIO()), f"sandbox-none-{os.getpid()}")
    with pytest.raises(NotUp, match="run `make up`"):
        sandbox.inbox()
    with pytest.raises(NotUp, match="run `make up`"):
        sandbox.send(Path("events/monitor/scan.json"))
