"""`flowwarden test-page`: sends a test page to a sink of a deployed stack, and resolves it."""

from __future__ import annotations

import time
import uuid
from argparse import Namespace
from collections.abc import Callable

from flowwarden.bootstrap.incidents import IncidentPorts, on_aws
from flowwarden.dispatcher.trial_page import Place, send_test
from flowwarden.errors import FlowWardenError, SettingsError
from flowwarden.https.webhook import Clock
from flowwarden.notify.ports import Sink
from flowwarden.printable import one_line
from flowwarden.sinks.table import BY_NAME
from flowwarden_cli.commands import stored
from flowwarden_cli.commands.command import SUCCEEDED, UNREADABLE
from flowwarden_cli.commands.stack import region_of
from flowwarden_cli.terminal.console import Console


def run(
    options: Namespace,
    console: Console,
    wired: Callable[[str, str | None], IncidentPorts] | None = None,
    attempt: Callable[[], str] = lambda: uuid.uuid4().hex,
) -> int:
    """Send the test page; return the exit code.

    Args:
        options: `stack`, `region`, `sink` and `json`.
        console: where to print.
        wired: creates the ports of a stack in a Region; by default on AWS.
        attempt: an id that no other test has.
    """
    try:
        region = region_of(options.region)
        ports = wired(options.stack, region) if wired else _on_aws(options.stack, region)
        place = Place(
            stack=one_line(options.stack),
            account=ports.account,
            region=ports.region,
            log_group=ports.log_group,
        )
        sink = _sink(options, ports)
        done = send_test(sink, ports.claims, ports.desk, place, int(console.now()), attempt())
    except FlowWardenError as error:
        console.report(f"error: {stored.explained(error)}")
        return UNREADABLE
    if options.json:
        document = {"sink": sink.name, "incident": done.key, "sent": done.sent, "resolved": done.resolved}
        console.print_document(document, indent=None)
    else:
        for what, accepted in (("The test page", done.sent), ("That it is resolved", done.resolved)):
            console.print(f"{what}: {'accepted' if accepted else 'not accepted'} by {one_line(sink.name)}")
        console.print(f"Incident {done.key}")
    for each in done.problems:
        console.report(f"error: {each}")
    return SUCCEEDED if done.sent and done.resolved and not done.problems else UNREADABLE


def _on_aws(stack: str, region: str | None) -> IncidentPorts:
    clock = Clock(monotonic=time.monotonic, wait=time.sleep, unix=time.time)
    return on_aws(stack, region, time.sleep, clock=clock)


def _sink(options: Namespace, ports: IncidentPorts) -> Sink:
    """The sink of the options. Raises SettingsError if the stack has no such sink."""
    if options.sink not in ports.sinks:
        parameter = BY_NAME[options.sink].parameter
        raise SettingsError(f"stack {options.stack} has no {options.sink}: set the parameter {parameter}")
    return ports.sinks[options.sink]
