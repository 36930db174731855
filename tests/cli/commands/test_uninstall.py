"""`flowwarden uninstall`: it prints first and asks, and its exit codes."""

from __future__ import annotations

from argparse import Namespace
from io import BytesIO, StringIO
from typing import Any

import pytest
from msgspec.structs import replace

from flowwarden.errors import CallRefused, NotDeployed
from flowwarden.removal.inventory import OwnFlowLog
from flowwarden.removal.plan import DeleteFlowLog, DeleteStack, StopEnforcer, described
from flowwarden.removal.ports import Account, Deletion
from flowwarden_cli.commands import uninstalling
from flowwarden_cli.commands.command import SUCCEEDED, UNREADABLE
from flowwarden_cli.terminal.console import Console
from tests.cli.fakes_console import written
from tests.removal.fakes import FILTER, INSTALLED, MemoryAccount


class Terminal(BytesIO):
    """Standard input that is a terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def ran(account: Account | Exception, stdin: BytesIO | None = None, **given: Any) -> tuple[int, str, str]:
    """Exit code, output and errors."""
    console = Console(stdin or BytesIO(), BytesIO(), StringIO(), shows_progress=False, clock=lambda: 0.0)
    options = {
        "stack": "flow-warden", "region": "eu-west-1", "delete_log_groups": False, "dry_run": False,
        "yes": False, **given,
    }  # fmt: skip

    def wired(*_: object) -> Account:
        if isinstance(account, Exception):
            raise account
        return account

    code = uninstalling.run(Namespace(**options), console, wired, lambda _: None)
    return code, written(console.stdout).decode(), written(console.stderr)


def test_without_a_terminal_it_prints_and_refuses() -> None:
    """A script must say that it means it."""
    account = MemoryAccount()
    code, printed, errors = ran(account, BytesIO(b"yes\n"))
    assert (code, account.taken) == (UNREADABLE, [])
    assert "delete the flow log fl-1 of vpc-1" in printed
    assert "add --yes" in errors


@pytest.mark.parametrize("answer", [b"", b"\n", b"y\n", b"no\n", b"YES\n", b"\xff\n"])
def test_any_answer_but_yes_removes_nothing(answer: bytes) -> None:
    """Also the end of the input."""
    account = MemoryAccount()
    code, _, errors = ran(account, Terminal(answer))
    assert (code, account.taken) == (UNREADABLE, [])
    assert errors.endswith("nothing was removed\n")


@pytest.mark.parametrize("how", [{"stdin": Terminal(b"yes\n")}, {"yes": True}])
def test_yes_removes_what_was_printed(how: dict[str, Any]) -> None:
    """Each step is printed when it is done, and how to deploy again."""
    account = MemoryAccount()
    code, printed, _ = ran(account, **how)
    assert code == SUCCEEDED
    assert not account.now.exists
    for each in account.taken[:-1]:
        assert printed.count(described(each)) == 2
    assert "The stack flow-warden is removed." in printed
    assert "another FlowLogGroupName" in printed


def test_a_dry_run_only_prints() -> None:
    """It needs no answer."""
    account = MemoryAccount()
    code, printed, errors = ran(account, dry_run=True, delete_log_groups=True)
    assert (code, errors, account.taken) == (SUCCEEDED, "", [])
    assert "delete the log group /flow-warden/flow-logs" in printed


def test_a_stack_that_is_gone_is_no_error() -> None:
    """So a script can run the command again."""
    code, printed, errors = ran(NotDeployed("cannot read stack flow-warden: it does not exist"), yes=True)
    assert (code, errors) == (SUCCEEDED, "")
    assert printed.startswith("There is nothing to remove: ")


def test_if_a_part_cannot_be_read_nothing_is_removed() -> None:
    """It decides what is the stack's own."""
    code, printed, errors = ran(CallRefused("Query: AccessDenied"), yes=True)
    assert (code, printed) == (UNREADABLE, "")
    assert errors == "error: Query: AccessDenied; nothing was removed\n"


def test_a_protected_stack_is_not_touched() -> None:
    """Termination protection is a decision of its owner."""
    account = MemoryAccount(replace(INSTALLED, protected=True))
    code, _, errors = ran(account, yes=True)
    assert (code, account.taken) == (UNREADABLE, [])
    assert "--no-enable-termination-protection" in errors


def test_a_failure_says_what_to_do() -> None:
    """The stack stays, so that the command can continue."""
    account = MemoryAccount(faults={DeleteFlowLog: CallRefused("DeleteFlowLogs: AccessDenied")})
    code, _, errors = ran(account, yes=True)
    assert code == UNREADABLE
    assert "error: cannot delete the flow log fl-1 of vpc-1: DeleteFlowLogs: AccessDenied" in errors
    assert errors.endswith("run the command again to continue\n")
    assert account.now.exists


def test_what_was_restored_while_the_stack_was_deleted_is_named() -> None:
    """A run of the enforcer that had begun may end after everything else."""

    class Late(MemoryAccount):
        """Restores a filter, and creates a flow log, while the stack is deleted."""

        def deletion(self) -> Deletion:
            late = (*INSTALLED.unproven, OwnFlowLog(flow_log_id="fl-2", resource_id="vpc-2"))
            self.now = replace(self.now, filters=(FILTER,), unproven=late)
            return super().deletion()

    code, printed, errors = ran(Late(), yes=True)
    assert code == UNREADABLE
    assert "restored during the removal: delete the subscription filter flow-warden" in errors
    assert "--flow-log-ids fl-2 --region eu-west-1" in errors
    assert "is removed" in printed


def test_an_interruption_says_how_to_continue() -> None:
    """Ctrl-C while the stack is being deleted."""

    class Interrupted(MemoryAccount):
        """Interrupted while it waits."""

        def deletion(self) -> Deletion:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ran(Interrupted(), yes=True)


def test_the_steps_are_those_of_an_installation_that_is_stopped_already() -> None:
    """As after an interruption."""
    account = MemoryAccount(replace(INSTALLED, stopped=True, rules=()))
    assert ran(account, yes=True)[0] == SUCCEEDED
    assert StopEnforcer(function="flow-warden-enforcer") not in account.taken
    assert account.taken[-1] == DeleteStack(stack="flow-warden")
