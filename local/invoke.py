"""`make invoke EVENT=…`: runs the real function with one event in a container, with `sam local invoke`.

The function uses an AWS emulator that is started for it, with the real template deployed; its notifications
are printed. `sam local` exits 0 even if the handler raises or is killed; this command exits 1 in that case.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from msgspec import Struct

from local import engine
from local.environment import tool
from local.inbox import Delivery, Inbox
from local.payload import MONITOR, NotAnEvent, ReadableEvent, read
from local.processes import run
from local.server import EmbeddedAws, EmbeddedAwsError, relative
from local.stack import Stack, architecture, build, deploy, sam_environment
from local.terminal import Terminal
from local.world import make_world

NAME = "invoke"
USAGE = "usage: make invoke EVENT=events/monitor/reject-burst.json (any file of events/)"


class Invoked(Struct, frozen=True, kw_only=True):
    """The result of an invocation."""

    result: Any
    """The handler's return value; None if it failed."""
    error: str
    """The reason for a failure; '' if there is none."""
    output: str
    """The output of the function and of sam."""
    deliveries: tuple[Delivery, ...]
    log: Path
    """The log of the AWS emulator."""


class Container:
    """Runs the built functions in containers, with an AWS emulator that containers can reach."""

    def __init__(self, aws: EmbeddedAws, built: Path, stack: Stack) -> None:
        self._aws = aws
        self._built = built
        self._stack = stack
        self._inboxes = [Inbox(aws.clients, topic) for topic in (stack.pages_topic, stack.operations_topic)]

    def invoke(self, event: ReadableEvent) -> Invoked:
        """Run the event's function."""
        payload = make_world(event, self._aws.clients, self._stack.flow_log_group)
        code, stdout, stderr = self._sam_local_invoke(event, payload)
        result, error = read_outcome(code, stdout)
        return Invoked(
            result=result,
            error=error,
            output=stderr,
            deliveries=tuple(each for inbox in self._inboxes for each in inbox.take()),
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
        name = self._stack.monitor if event.function == MONITOR else self._stack.enforcer
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
        event = read(Path(arguments[0]))
        engine.require()
        return _show(terminal, _run(terminal, event))
    except (NotAnEvent, EmbeddedAwsError) as error:
        terminal.bad(str(error))
        return 2
    except KeyboardInterrupt:
        terminal.bad("interrupted; the AWS emulator is stopped")
        return 130


def _run(terminal: Terminal, event: ReadableEvent) -> Invoked:
    terminal.title(event.title or event.function, f"{event.function}, in a container, with an AWS emulator")
    with EmbeddedAws(NAME, host=engine.address_for_containers()) as aws:
        with terminal.step("sam build"):
            built = build(aws.name)
        with terminal.step("sam deploy"):
            container = Container(aws, built, deploy(aws, built))
        fetched = "" if engine.has_image() else f", which fetches {engine.image()}"
        with terminal.step(f"sam local invoke{fetched}"):
            return container.invoke(event)


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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
