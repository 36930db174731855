"""`make invoke EVENT=…`: runs the real function with one event in a container, with `sam local invoke`.

The function uses an AWS emulator with the real template deployed. The emulator keeps running for the next
event, until `make down`; each event starts with an empty account. The command prints the result and the
notifications, and compares them with the outcome that the event expects. `sam local` exits 0 even if the
handler raises or is killed; this command exits 1 in that case, and if the outcome differs.
"""

from __future__ import annotations

import fcntl
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from local import engine
from local.environment import tool
from local.expected import Difference, Observed, differences
from local.inbox import Delivery, Inbox
from local.kept import KeptAws, RunningAws
from local.payload import NotAnEvent, ReadableEvent, read, read_expected
from local.processes import run
from local.resources import clear, create_resources, make_state
from local.sandbox import FOR_CONTAINERS, Sandbox
from local.server import FOLDERS, EmbeddedAwsError, relative
from local.stack import Stack, architecture, build, sam_environment
from local.terminal import Terminal

USAGE = "usage: make invoke EVENT=events/monitor/reject-burst.json (any file of events/)"


class Invoked(Struct, frozen=True, kw_only=True):
    """The result of an invocation."""

    result: Any
    """The handler's return value; None if it failed."""
    error: str
    """The reason for a failure; '' if there is none."""
    output: str
    """The output of the function and of sam."""
    pages: tuple[Delivery, ...]
    operations: tuple[Delivery, ...]
    differences: tuple[Difference, ...]
    """What differs from the outcome that the event expects, if it expects one."""
    log: Path
    """The log of the AWS emulator."""

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """All notifications."""
        return (*self.pages, *self.operations)


class Container:
    """Runs the built functions in containers, with an AWS emulator that containers can reach."""

    def __init__(self, aws: RunningAws, built: Path, stack: Stack) -> None:
        self._aws = aws
        self._built = built
        self._stack = stack
        self._inboxes = [Inbox(aws.clients, topic) for topic in (stack.pages_topic, stack.operations_topic)]

    def invoke(self, event: ReadableEvent, expected: Mapping[str, Any] | None = None) -> Invoked:
        """Run the event's function in an account that contains only what the event describes.

        Args:
            event: the event.
            expected: the outcome to compare with; None for no comparison.
        """
        clear(self._aws.clients, self._stack)
        made = create_resources(event, self._aws.clients, self._stack.flow_log_group)
        made = make_state(event, made, self._aws.clients, self._stack)
        for inbox in self._inboxes:
            inbox.take()
        code, stdout, stderr = self._sam_local_invoke(event, made.payload)
        result, error = read_outcome(code, stdout)
        pages, operations = (tuple(inbox.take()) for inbox in self._inboxes)
        observed = Observed(result=result, pages=pages, operations=operations)
        compares = expected is not None and not error
        return Invoked(
            result=result,
            error=error,
            output=stderr,
            pages=pages,
            operations=operations,
            differences=tuple(differences(expected or {}, observed, made.names)) if compares else (),
            log=self._aws.log,
        )

    def _sam_local_invoke(self, event: ReadableEvent, payload: dict[str, Any]) -> tuple[int, str, str]:
        """Exit code, the function's response, and the output of the function and of sam."""
        folder = self._aws.folder
        (folder / "payload.json").write_text(json.dumps(payload))
        (folder / "variables.json").write_text(json.dumps({event.function: self._variables(event)}))
        command: list[str | Path] = [
            tool("sam", "sam"),
            "local",
            "invoke",
            event.function,
            f"--template={self._built}",
            f"--event={folder / 'payload.json'}",
            f"--env-vars={folder / 'variables.json'}",
            f"--parameter-overrides=Architecture={architecture()}",
            f"--add-host={engine.HOST_FROM_CONTAINER}:host-gateway",
            *(["--skip-pull-image"] if engine.has_image() else []),
        ]
        answer, output = folder / "answer.log", folder / "output.log"
        with answer.open("wb") as stdout, output.open("wb") as stderr:
            code = run(command, sam_environment(self._aws.environment), stdout, stderr)
        return code, answer.read_text(errors="replace"), output.read_text(errors="replace")

    def _variables(self, event: ReadableEvent) -> dict[str, str]:
        """The deployed function's environment, because sam does not resolve references in the template."""
        name = self._stack.resources[event.function]
        configuration = self._aws.clients.functions.get_function_configuration(FunctionName=name)
        endpoint = f"http://{engine.HOST_FROM_CONTAINER}:{self._aws.port}"
        return configuration["Environment"]["Variables"] | {"AWS_ENDPOINT_URL": endpoint} | event.settings


def read_outcome(code: int, stdout: str) -> tuple[Any, str]:
    """The handler's result and '', or None and the error; sam's exit code does not show handler errors."""
    if code != 0:
        return None, f"`sam local invoke` failed with exit code {code}"
    answer = stdout.strip().rpartition("\n")[2]
    try:
        result = json.loads(answer)
    except ValueError:
        return (
            None,
            f"the function did not respond: it was killed or timed out{f': {answer}' * bool(answer)}",
        )
    if isinstance(result, dict) and "errorType" in result:
        return None, f"the handler raised {result['errorType']}: {result.get('errorMessage', '')}"
    return result, ""


def main(arguments: list[str]) -> int:
    """Invoke the event's function; return the exit code."""
    if len(arguments) != 1:
        print(USAGE, file=sys.stderr)
        return 2
    terminal = Terminal()
    try:
        event, expected = read(Path(arguments[0])), read_expected(Path(arguments[0]))
        engine.require()
        with _alone():
            invoked = _run(terminal, event, expected)
        code = _show(terminal, invoked)
        return code or show_comparison(terminal, event, expected, invoked.differences)
    except (NotAnEvent, EmbeddedAwsError) as error:
        terminal.bad(str(error))
        return 2
    except KeyboardInterrupt:
        terminal.bad("interrupted")
        return 130


@contextmanager
def _alone() -> Iterator[None]:
    """Wait until no other `make invoke` runs, because each empties the account of the AWS emulator."""
    FOLDERS.mkdir(parents=True, exist_ok=True)
    with (FOLDERS / f"{FOR_CONTAINERS}.busy").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(terminal: Terminal, event: ReadableEvent, expected: Mapping[str, Any] | None) -> Invoked:
    terminal.title(event.title or event.function, f"{event.function}, in a container, with an AWS emulator")
    state = Sandbox(terminal, FOR_CONTAINERS).fresh()
    aws = KeptAws(state, FOR_CONTAINERS)
    container = Container(aws, build(), state.stack)
    fetched = "" if engine.has_image() else f", which fetches {engine.image()}"
    with terminal.step(f"sam local invoke{fetched}"):
        return container.invoke(event, expected)


def _show(terminal: Terminal, invoked: Invoked) -> int:
    terminal.scene("Output of the function")
    for line in invoked.output.splitlines():
        print(f"  {line}")
    for delivery in invoked.deliveries:
        terminal.notification(delivery.subject, delivery.text)
    if not invoked.deliveries:
        terminal.say("No notification was published.")
    terminal.scene("Result of the function")
    if invoked.error:
        terminal.bad(f"{invoked.error}\nlog of the AWS emulator: {relative(invoked.log)}")
        return 1
    print(f"  {json.dumps(invoked.result, indent=2).replace(chr(10), chr(10) + '  ')}")
    return 0


def show_comparison(
    terminal: Terminal,
    event: ReadableEvent,
    expected: Mapping[str, Any] | None,
    found: Sequence[Difference],
) -> int:
    """Say whether the outcome is the one that the event expects; return the exit code."""
    terminal.scene("Comparison with the expected outcome")
    if expected is None:
        terminal.say("The event states no expected outcome.")
        return 0
    if not found:
        terminal.good("as expected")
        return 0
    for each in found:
        terminal.bad(f"{each.what}\nexpected: {json.dumps(each.expected)}\ngot: {json.dumps(each.got)}")
    if event.unsupported:
        terminal.say(f"The AWS emulator does not support {', '.join(event.unsupported)} of the event.")
    terminal.say(f"{len(found)} difference{'s' * (len(found) > 1)} from the expected outcome.")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
