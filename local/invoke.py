"""`make invoke EVENT=…`: one event through the real function in a container, by `sam local invoke`.

The function works on an embedded AWS that is started for it, with the real template deployed; what it
published is shown. `sam local` exits 0 even when the handler raises or is killed; this exits 1 then.
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
    """What came of an invocation."""

    result: Any
    """What the handler returned; None if it did not."""
    error: str
    """Why it failed; '' if it did not."""
    output: str
    """What the function and sam wrote."""
    deliveries: tuple[Delivery, ...]
    log: Path
    """What the embedded AWS said."""


class Container:
    """Runs the built functions in containers, against an embedded AWS that containers can reach."""

    def __init__(self, aws: EmbeddedAws, built: Path, stack: Stack) -> None:
        self._aws = aws
        self._built = built
        self._stack = stack
        self._inboxes = [Inbox(aws.clients, topic) for topic in (stack.pages_topic, stack.operations_topic)]

    def invoke(self, event: ReadableEvent) -> Invoked:
        """Run the function that the event belongs to."""
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
        """Exit code, what the function answered, and what it and sam wrote."""
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
        """What the deployed function was told, for sam knows a reference's value only by its name."""
        name = self._stack.monitor if event.function == MONITOR else self._stack.enforcer
        configuration = self._aws.clients.functions.get_function_configuration(FunctionName=name)
        endpoint = f"http://{engine.HOST_FROM_CONTAINER}:{self._aws.port}"
        return configuration["Environment"]["Variables"] | {"AWS_ENDPOINT_URL": endpoint} | event.settings


def read_outcome(code: int, stdout: str) -> tuple[Any, str]:
    """The handler's result and '', or None and why there is no result: sam's exit code does not tell."""
    if code != 0:
        return None, f"`sam local invoke` failed with exit code {code}"
    answer = stdout.strip().rpartition("\n")[2]
    try:
        result = json.loads(answer)
    except ValueError:
        return (
            None,
            f"the function did not answer: it was killed or ran out of time{f': {answer}' * bool(answer)}",
        )
    if isinstance(result, dict) and "errorType" in result:
        return None, f"the handler raised {result['errorType']}: {result.get('errorMessage', '')}"
    return result, ""


def main(arguments: list[str]) -> int:
    """Invoke the function that the event belongs to; return the exit code."""
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
        terminal.bad("interrupted; the embedded AWS is stopped")
        return 130


def _run(terminal: Terminal, event: ReadableEvent) -> Invoked:
    terminal.title(
        event.title or event.function, f"{event.function}, in a container, against an embedded AWS"
    )
    with EmbeddedAws(NAME, host=engine.address_for_containers()) as aws:
        with terminal.step("sam build"):
            built = build(aws.name)
        with terminal.step("sam deploy"):
            container = Container(aws, built, deploy(aws, built))
        fetched = "" if engine.has_image() else f", which fetches {engine.image()}"
        with terminal.step(f"sam local invoke{fetched}"):
            return container.invoke(event)


def _show(terminal: Terminal, invoked: Invoked) -> int:
    terminal.scene("What the function wrote")
    for line in invoked.output.splitlines():
        print(f"  {line}")
    for delivery in invoked.deliveries:
        terminal.notification(delivery.subject, delivery.text)
    if not invoked.deliveries:
        terminal.say("No notification was published.")
    terminal.scene("What it returned")
    if invoked.error:
        terminal.bad(f"{invoked.error}\nwhat the embedded AWS saw: {relative(invoked.log)}")
        return 1
    print(f"  {json.dumps(invoked.result, indent=2).replace(chr(10), chr(10) + '  ')}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
