"""`flowwarden mutes`: lists and removes the mutes made by command."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Callable

from flowwarden.bootstrap.incidents import IncidentPorts, on_aws
from flowwarden.errors import FlowWardenError
from flowwarden.notify.text import plural
from flowwarden.printable import one_line
from flowwarden_cli.commands import muting, stored
from flowwarden_cli.commands.command import SUCCEEDED, UNREADABLE
from flowwarden_cli.commands.mutes import LIST
from flowwarden_cli.commands.stack import region_of
from flowwarden_cli.terminal.console import Console


def run(
    options: Namespace, console: Console, wired: Callable[[str, str | None], IncidentPorts] | None = None
) -> int:
    """Run the action; return the exit code.

    Args:
        options: `action`, `mute`, `stack`, `region` and `json`.
        console: where to print.
        wired: creates the ports of a stack in a Region; by default on AWS.
    """
    try:
        region = region_of(options.region)
        ports = wired(options.stack, region) if wired else on_aws(options.stack, region, time.sleep)
        try:
            return (_list if options.action == LIST else _remove)(options, console, ports)
        finally:
            stored.warn(ports.unreadable, console)
    except FlowWardenError as error:
        console.report(f"error: {stored.explained(error)}")
        return UNREADABLE


def _list(options: Namespace, console: Console, ports: IncidentPorts) -> int:
    made = sorted(ports.mutes.load(int(console.now())), key=lambda each: (each.mute.end or 0, each.id))
    if options.json:
        document = {"region": ports.region, "mutes": [muting.document(each) for each in made]}
        console.print_document(document)
        return SUCCEEDED
    console.print(f"Mutes of stack {one_line(options.stack)}, region {one_line(ports.region)}")
    console.print("")
    for each in made:
        for line in muting.lines(each):
            console.print(line)
    console.print(plural(len(made), "mute") if made else "There are no mutes made by command.")
    return SUCCEEDED


def _remove(options: Namespace, console: Console, ports: IncidentPorts) -> int:
    if not ports.mutes.remove(options.mute):
        console.report(f"error: no mute {options.mute!r}: flowwarden mutes list prints all")
        return UNREADABLE
    if options.json:
        console.print_document({"mute": options.mute, "state": "removed"}, indent=None)
    else:
        console.print(f"Mute {one_line(options.mute)}: removed. The monitor stops using it within a minute.")
    return SUCCEEDED
