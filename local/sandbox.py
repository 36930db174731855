"""`make up`, `make send`, `make inbox`, `make down`: an AWS emulator with the stack deployed, kept running.

`make up` starts a server process in the background. The process deploys the stack, stores the sandbox's state
in a file, and waits for the signal of `make down`. The other commands read the file. `make invoke` uses a
second sandbox, at an address that containers can reach.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Final, TextIO

import msgspec
from msgspec import Struct

from local import engine
from local.clients import Clients
from local.environment import PROJECT
from local.inbox import Delivery, Inbox
from local.payload import NotAnEvent, ReadableEvent, read
from local.resources import create_resources
from local.scenes import MANY_PAGES, POLICY, SANDBOX
from local.sending import applied, notes
from local.server import FOLDERS, LOOPBACK, EmbeddedAws, EmbeddedAwsError, relative
from local.shell_variables import script
from local.sources import fingerprint
from local.stack import STACK, Parameters, Stack, build, deploy
from local.terminal import Terminal

NAME: Final = "sandbox"
FOR_CONTAINERS: Final = "invoke"
"""The name of the sandbox of `make invoke`."""
START_SECONDS: Final = 300
STOP_SECONDS: Final = 60
SETTLE_SECONDS: Final = 3
"""Longest wait for notifications of an invocation: SNS delivers them within a second."""
USAGE: Final = "usage: python -m local.sandbox up | down | inbox | send EVENT"


class NotUp(Exception):
    """The sandbox is not running."""


class State(Struct, frozen=True):
    """A running sandbox: what the server process writes when the stack is deployed."""

    pid: int
    endpoint: str
    stack: Stack
    sources: str = ""
    """The fingerprint of the sources that are deployed."""

    @property
    def clients(self) -> Clients:
        """Clients of its services."""
        return Clients(self.endpoint)

    @property
    def inboxes(self) -> list[Inbox]:
        """The queues at both topics; the first call subscribes them."""
        return [Inbox(self.clients, topic) for topic in (self.stack.pages_topic, self.stack.operations_topic)]

    def invoke(self, event: ReadableEvent) -> tuple[object, bool]:
        """Invoke the event's function; return its result or error, and whether it is an error."""
        name = self.stack.resources[event.function]
        payload = create_resources(event, self.clients, self.stack.flow_log_group).payload
        with applied(event.settings, name, self.clients):
            answer = self.clients.functions.invoke(FunctionName=name, Payload=json.dumps(payload))
        return json.loads(answer["Payload"].read() or b"null"), "FunctionError" in answer

    def notifications(self, seconds: float) -> list[Delivery]:
        """The notifications since the last call; waits up to this many seconds for the first one."""
        inboxes, deadline = self.inboxes, time.monotonic() + seconds
        while True:
            arrived = [delivery for box in inboxes for delivery in box.take()]
            if arrived or time.monotonic() >= deadline:
                return arrived
            time.sleep(0.2)


class Sandbox:
    """The sandbox of a name; each command is a method."""

    def __init__(self, terminal: Terminal, name: str = NAME) -> None:
        self._terminal = terminal
        self._name = name
        self._state = FOLDERS / name / "state.json"
        self.variables = FOLDERS / name / "environment.sh"
        """The file with the variables for a shell."""
        self._log = FOLDERS / f"{name}.log"

    def up(self) -> int:
        """Start the sandbox unless it is already up, and print how to use it."""
        try:
            state = self.state()
        except NotUp:
            self._terminal.title("FLOW WARDEN, ON AN AWS EMULATOR", "no AWS account is touched")
            state = self._start()
        self._terminal.good(f"the AWS emulator is up at {state.endpoint}, with the stack {STACK}")
        self._terminal.say("Send an event to its function: make send EVENT=events/monitor/scan.json")
        self._terminal.say("It shows the event's notifications; those that arrive later: make inbox")
        self._terminal.say(
            "Use the command line or the AWS CLI on it, in a subshell because of the variables:"
        )
        self._terminal.code(f"(source {relative(self.variables)} && .venv/bin/flowwarden plan)")
        self._terminal.say("Stop it: make down")
        return 0

    def down(self) -> int:
        """Stop the sandbox."""
        try:
            state = self.state()
        except NotUp:
            self._terminal.say("The sandbox is not up.")
            return 0
        os.kill(state.pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while self._is_held():
            if time.monotonic() > deadline:
                raise EmbeddedAwsError(
                    f"process {state.pid} still runs after {STOP_SECONDS} s; see {self._log}"
                )
            time.sleep(0.1)
        self._terminal.good(f"the AWS emulator of {self._name} is stopped")
        return 0

    def fresh(self) -> State:
        """The running sandbox with the current sources deployed; starts or restarts it if necessary.

        Raises:
            EmbeddedAwsError: it did not start, or the earlier one did not stop.
        """
        try:
            state = self.state()
        except NotUp:
            return self._start()
        if state.sources == fingerprint():
            return state
        self._terminal.say("The sources have changed since the stack was deployed.")
        self.down()
        return self._start()

    def inbox(self) -> int:
        """Show the notifications that neither this command nor `send` has shown."""
        nothing = "No notifications since the last `make send` or `make inbox`, which showed earlier ones."
        self._show(self.state().notifications(seconds=0), nothing)
        return 0

    def send(self, path: Path) -> int:
        """Invoke the deployed function of an event; show its result and its notifications."""
        state, event = self.state(), read(path)
        self._terminal.title(event.title or path.name, f"{event.function}, deployed at {state.endpoint}")
        self._terminal.say(" ".join(notes(event)))
        result, failed = state.invoke(event)
        self._terminal.scene("Result of the function")
        self._terminal.code(json.dumps(result, indent=2))
        self._show(state.notifications(SETTLE_SECONDS), "No notification was published.")
        return int(failed)

    def serve(self) -> int:
        """The server process: runs the AWS emulator until a signal ends it."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, _end)
        try:
            with EmbeddedAws(self._name, host=_host(self._name)) as aws:
                sources = fingerprint()
                with self._terminal.step("sam build"):
                    built = build()
                with self._terminal.step("sam deploy, the real template"):
                    stack = deploy(aws, built, _parameters(self._name))
                state = State(os.getpid(), aws.endpoint, stack, sources)
                state.notifications(seconds=0)  # subscribes the queues before anything is published
                self._write(state)
                signal.pause()
        except KeyboardInterrupt:
            return 0
        return 1

    def state(self) -> State:
        """The state of the running sandbox. Raises NotUp."""
        if not self._is_held() or not self._state.exists():
            raise NotUp("the sandbox is not up; run `make up`")
        return msgspec.json.decode(self._state.read_bytes(), type=State)

    def _start(self) -> State:
        """Start the server process, and show its output until the stack is deployed.

        Raises:
            EmbeddedAwsError: it ended before that, or took longer than `START_SECONDS`.
        """
        FOLDERS.mkdir(parents=True, exist_ok=True)
        self._state.unlink(missing_ok=True)
        with self._log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "local.sandbox", "serve", self._name],
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C and the end of the terminal leave it running
            )
        with self._log.open() as log:
            return self._wait(process, log)

    def _wait(self, process: subprocess.Popen[bytes], log: TextIO) -> State:
        deadline = time.monotonic() + START_SECONDS
        while True:
            self._terminal.copy(log.read())
            try:
                return self.state()
            except NotUp:
                pass
            if process.poll() is not None:
                raise EmbeddedAwsError(f"the sandbox did not start; see {relative(self._log)}")
            if time.monotonic() > deadline:
                process.terminate()
                raise EmbeddedAwsError(f"not up after {START_SECONDS} s; see {relative(self._log)}")
            time.sleep(0.2)

    def _write(self, state: State) -> None:
        """Write the variables for a shell, then the state: if that exists, the sandbox is ready."""
        self.variables.write_text(script(state.endpoint))
        partial = self._state.with_suffix(".partial")
        partial.write_bytes(msgspec.json.encode(state))
        partial.rename(self._state)

    def _is_held(self) -> bool:
        """Whether a process holds the sandbox's lock. Another process may have its process id by now."""
        path = FOLDERS / f"{self._name}.lock"
        if not path.exists():
            return False
        with path.open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def _show(self, deliveries: Sequence[Delivery], nothing: str) -> None:
        for delivery in deliveries:
            self._terminal.notification(delivery.subject, delivery.text)
        if not deliveries:
            self._terminal.say(nothing)


def _host(name: str) -> str:
    return engine.address_for_containers() if name == FOR_CONTAINERS else LOOPBACK


def _parameters(name: str) -> Parameters:
    """The demo's policy, the dashboard, and many pages; only these for `make invoke`, whose events differ."""
    return MANY_PAGES if name == FOR_CONTAINERS else {"Policy": json.dumps(POLICY), **SANDBOX}


def _stop_all(terminal: Terminal) -> int:
    """Stop the sandbox, and the AWS emulator of `make invoke` if that runs."""
    kept = Sandbox(terminal, FOR_CONTAINERS)
    with suppress(NotUp):
        kept.state()
        kept.down()
    return Sandbox(terminal).down()


def _end(_number: int, _frame: FrameType | None) -> None:
    """Unwind the stack, so that everything is stopped."""
    raise KeyboardInterrupt


def main(arguments: list[str]) -> int:
    """Run a command; return the exit code."""
    terminal = Terminal()
    sandbox = Sandbox(terminal)
    commands = {"up": sandbox.up, "down": lambda: _stop_all(terminal), "inbox": sandbox.inbox}
    try:
        match arguments:
            case [name] if name in commands:
                return commands[name]()
            case ["send", path]:
                return sandbox.send(Path(path))
            case ["serve", name]:
                return Sandbox(terminal, name).serve()
    except (NotAnEvent, NotUp, EmbeddedAwsError) as error:
        terminal.bad(str(error))
        return 1
    print(USAGE, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
