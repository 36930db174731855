"""`flowwarden redrive`: what is printed, the exit codes, and that an interruption loses nothing."""

from __future__ import annotations

import io
import json
from argparse import Namespace
from collections.abc import Callable
from typing import Any

import pytest

from flowwarden.aws.cloudformation import StackOutputs
from flowwarden.bootstrap import redrive as wiring
from flowwarden.bootstrap.redrive import QUEUES, RedrivePorts, on_aws
from flowwarden.errors import CallFailed, CallRefused, NotDeployed, SettingsError
from flowwarden_cli.commands.command import SUCCEEDED, UNREADABLE
from flowwarden_cli.commands.redrive import QUEUES as CHOICES
from flowwarden_cli.commands.redrive import run
from flowwarden_cli.terminal.console import Console
from tests.cli.fakes_console import fake_console, written
from tests.cli.fakes_queues import empty, failed, ports
from tests.redrive.fakes import FakeFunction, MemoryQueue, queue_of, record
from tests.template import stack

OUTPUTS = {name: f"value of {name}" for row in QUEUES.values() for name in (row.queue, row.function)}


def options(**given: Any) -> Namespace:
    """The parsed arguments."""
    defaults = {"stack": "x", "region": None, "queue": None, "limit": None, "dry_run": False, "json": False}
    return Namespace(**defaults | given)


def ran(found: RedrivePorts, **given: Any) -> tuple[int, str, str]:
    """Exit code, output and errors."""
    console = fake_console()
    code = run(options(**given), console, lambda *_: found)
    return code, written(console.stdout).decode(), written(console.stderr)


def alone(queue: MemoryQueue, function: FakeFunction | None = None) -> RedrivePorts:
    """A queue of the monitor, and others that are empty."""
    functions = (function or FakeFunction(), FakeFunction(), FakeFunction())
    return ports(queue, MemoryQueue(), MemoryQueue(), functions=functions)


def test_the_exit_code_is_zero_only_if_nothing_stays() -> None:
    """Also if the queues are empty."""
    assert ran(failed())[0] == UNREADABLE
    assert ran(alone(queue_of(1, 2)))[0] == SUCCEEDED
    assert ran(empty())[0] == SUCCEEDED


def test_only_the_given_queue_is_processed() -> None:
    """The names are those of the wiring."""
    assert (*QUEUES,) == CHOICES
    for name, code in (("monitor", UNREADABLE), ("enforcer", UNREADABLE), ("events", SUCCEEDED)):
        found = ran(failed(), queue=name, json=True)
        assert found[0] == code
        assert {json.loads(line)["queue"] for line in found[1].splitlines()} == {name}


@pytest.mark.parametrize(("limit", "sent", "code"), [(1, 1, 1), (2, 2, 1), (3, 3, 0), (9, 3, 0)])
def test_the_limit_is_that_of_all_queues_and_what_is_left_counts_as_staying(
    limit: int, sent: int, code: int
) -> None:
    """So a script knows that it must run the command again."""
    first, function = queue_of(1, 2), FakeFunction()
    second = queue_of(3)
    found = ports(first, second, MemoryQueue(), functions=(function, function, function))
    ended, text, _ = ran(found, limit=limit)
    assert (ended, len(function.payloads)) == (code, sent)
    assert ("more messages than --limit allows" in text) is bool(code)
    assert len(first.visible) + len(second.visible) == 3 - sent


def test_a_limit_that_the_first_queue_reaches_lets_the_others_wait() -> None:
    """Nothing of them is sent, and everything is visible."""
    first, second, function = queue_of(1), queue_of(2, 3), FakeFunction()
    found = ports(first, second, MemoryQueue(), functions=(function, function, function))
    assert ran(found, limit=1)[0] == UNREADABLE
    assert function.payloads == [b"1"]
    assert second.visible == ["m1", "m2"]


def test_a_dry_run_changes_nothing_and_is_a_success_if_everything_can_be_sent() -> None:
    """A limit leaves nothing undone then."""
    queue, function = queue_of(1, 2), FakeFunction()
    for limit in (None, 1):
        assert ran(alone(queue, function), dry_run=True, limit=limit)[0] == SUCCEEDED
    assert (function.payloads, queue.visible) == ([], ["m1", "m2"])


def test_a_queue_that_cannot_be_read_keeps_none_of_the_others_from_being_processed() -> None:
    """The error names it, and the exit code shows it."""
    first, second = MemoryQueue(faults={"receive": CallRefused("denied")}), queue_of(1)
    code, text, errors = ran(ports(first, second, MemoryQueue()))
    assert (code, second.bodies) == (UNREADABLE, {})
    assert "error: monitor: denied" in errors
    assert "1 message processed" in text


def test_after_a_refusal_of_the_function_its_queue_is_left() -> None:
    """Every further message would fail in the same way."""
    queue, function = queue_of(1, 2, 3), FakeFunction([CallRefused("AccessDenied")])
    code, text, _ = ran(alone(queue, function))
    assert (code, len(function.payloads)) == (UNREADABLE, 1)
    assert "stays: AccessDenied" in text
    assert queue.visible == ["m1", "m2", "m3"]


def test_what_cannot_be_made_visible_at_once_is_a_warning() -> None:
    """It becomes visible by itself."""
    queue = queue_of(1)
    queue.faults["release"] = CallFailed("slow")
    _, _, errors = ran(alone(queue, FakeFunction(["E"])))
    assert "monitor: what stays becomes visible again within 7 minutes, not at once: slow" in errors


@pytest.mark.parametrize("as_json", [False, True])
def test_an_interruption_prints_what_was_done_and_loses_nothing(*, as_json: bool) -> None:
    """The message in process stays hidden, because its function may still run."""
    queue = queue_of(1, 2, 3)
    found = alone(queue, FakeFunction(["", KeyboardInterrupt()]))
    console = fake_console()
    with pytest.raises(KeyboardInterrupt):
        run(options(json=as_json), console, lambda *_: found)
    text = written(console.stdout).decode() + written(console.stderr)
    assert "1 message processed" in text
    assert "becomes visible again within 7 minutes" in text
    assert (*queue.bodies,) == ("m2", "m3")
    assert queue.visible == ["m3"]


def test_output_that_cannot_be_written_loses_nothing() -> None:
    """The pipe's reader has closed it: what was not sent is visible at once."""

    class Closed(io.BytesIO):
        def write(self, data: Any) -> int:
            if b"processed" in data:
                raise BrokenPipeError
            return len(data)

    queue = queue_of(1, 2)
    console = Console(io.BytesIO(), Closed(), io.StringIO(), shows_progress=False, clock=lambda: 0.0)
    with pytest.raises(BrokenPipeError):
        run(options(), console, lambda *_: alone(queue))
    assert queue.visible == ["m2"]


def test_each_line_is_printed_when_its_message_is_done() -> None:
    """Before the next one is sent, which may take minutes; the status line is cleared before each."""
    seen: list[bytes] = []
    console = fake_console(shows_progress=True)
    function = FakeFunction(takes=lambda: seen.append(written(console.stdout)))
    run(options(), console, lambda *_: alone(queue_of(1, 2), function))
    assert [each.count(b"processed") for each in seen] == [0, 1]
    errors = written(console.stderr)
    assert "1 message processed, 0 stay" in errors
    assert errors.endswith("\r\033[K")


def test_without_a_terminal_there_is_no_status_line() -> None:
    """Standard error contains only errors."""
    assert ran(alone(queue_of(1)))[2] == ""


ESCAPES = "\x1b]0;x\x07\x1b[31m\x9b2J\u202e\r\n"


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("dry_run", [False, True])
def test_nothing_of_a_message_reaches_the_terminal_raw(*, as_json: bool, dry_run: bool) -> None:
    """Bodies, errors and ids are text from outside: one line each."""
    response = {"errorType": ESCAPES, "errorMessage": ESCAPES * 500}
    queue = MemoryQueue({ESCAPES: ESCAPES, "m1": record(1, responsePayload=response)})
    _, text, errors = ran(alone(queue, FakeFunction([ESCAPES])), json=as_json, dry_run=dry_run)
    lines = text.rstrip("\n").split("\n")
    assert all(line.isprintable() for line in [*lines, *errors.split("\n")])
    assert len([line for line in lines if "monitor" in line]) == 2


@pytest.mark.parametrize("error", [NotDeployed("cannot read stack x"), SettingsError("no Region")])
def test_a_stack_that_cannot_be_read_is_an_error(error: Exception) -> None:
    """Nothing is printed but the reason."""

    def missing(*_: object) -> RedrivePorts:
        raise error

    console = fake_console()
    assert run(options(), console, missing) == UNREADABLE
    assert written(console.stderr) == f"error: {error}\n"
    assert written(console.stdout) == b""


def looked_up(**values: str) -> Callable[[str, str | None], StackOutputs]:
    """A look-up of a stack with these outputs."""
    return lambda *_: StackOutputs("eu-west-1", values)


def test_the_queues_and_functions_are_outputs_of_the_stack() -> None:
    """Each queue has the function that its events are for."""
    assert {*OUTPUTS} <= {*stack.TEMPLATE["Outputs"]}
    found = on_aws("x", None, print, looked_up(**OUTPUTS))
    assert [each.name for each in found.sources] == [*QUEUES]
    assert {each.function for name, each in QUEUES.items() if name != "monitor"} == {wiring.ENFORCER}
    assert QUEUES["monitor"].function == wiring.MONITOR


@pytest.mark.parametrize("name", sorted(OUTPUTS))
def test_a_stack_of_an_older_version_is_an_error(name: str) -> None:
    """The message names the missing output."""
    with pytest.raises(SettingsError, match=f"no output {name}"):
        on_aws("x", None, print, looked_up(**OUTPUTS | {name: ""}))
