"""Kind of input: damaged items of open incidents and digests, which the dispatcher and commands read.

Beside the damaged ones, there is an intact pending incident and an intact one that is over: both must be
notified, whatever the others contain.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

import dispatcher
from benchmarks.fuzz.console import run_command
from benchmarks.fuzz.incident_items import ITEMS, NOW, OVER, SINK, WAITING, Contents, IncidentTable, drawn
from benchmarks.fuzz.kind import Kind, Problem, raw, raw_pages
from flowwarden.aws.dynamodb.claims import DynamoDbClaims
from flowwarden.aws.dynamodb.desk import DynamoDbDesk
from flowwarden.aws.dynamodb.digests import DynamoDbDigests
from flowwarden.aws.dynamodb.incidents import DynamoDbIncidents
from flowwarden.aws.dynamodb.mute_editing import DynamoDbMuteEditor
from flowwarden.aws.dynamodb.page_budget import DynamoDbPageBudget
from flowwarden.aws.dynamodb.sets import DynamoDbEvidence
from flowwarden.bootstrap.dispatcher_service import DispatcherPorts, build
from flowwarden.bootstrap.incidents import IncidentPorts
from flowwarden.errors import PublishFailed, StateUnavailable
from flowwarden.notify.claims import ClaimTerms
from flowwarden.notify.page_budget import PageLimits
from flowwarden.unreadable import Unreadable
from flowwarden_cli.commands import COMMANDS, incidents, mutes
from flowwarden_cli.commands.command import Command
from tests.functions.captured import captured
from tests.functions.test_dispatcher import Context
from tests.notify.fakes import MemorySink

TERMS: Final = ClaimTerms(suppression=14_400, lease=50)
_TABLE: Final = "state"
_LIMITS: Final = PageLimits(hour=50, day=50, critical_hour=50)


class Sinks(Struct, frozen=True):
    """The receivers of a run."""

    pages: MemorySink
    operations: MemorySink


def check(contents: Contents) -> Iterator[Problem]:
    """Run the dispatcher's handler, and the commands that read incidents and mutes."""
    table = IncidentTable(contents)
    sinks = Sinks(MemorySink(name=SINK), MemorySink(name="sns:operations"))
    yield from _dispatched(table, sinks)
    notified = {key for each in sinks.pages.sent for key in _keys(each.document)}
    yield from (Problem(f"{key} is not notified") for key in (OVER, WAITING) if key not in notified)
    commands = _commands(table)
    for arguments in (("incidents", "list"), ("incidents", "list", "--json"), ("mutes", "list")):
        yield from run_command(arguments, commands=commands)
    for key in table.keys_of_incidents():
        yield from run_command(("incidents", "show", key), commands=commands)
        yield from run_command(("incidents", "show", key, "--json"), commands=commands)


def _dispatched(table: Any, sinks: Sinks) -> Iterator[Problem]:  # noqa: ANN401 - a client
    notes = Unreadable()
    ports = DispatcherPorts(
        incidents=DynamoDbIncidents(table, _TABLE, TERMS.lease, notes),
        claims=DynamoDbClaims(table, _TABLE, TERMS, notes),
        evidence=DynamoDbEvidence(table, _TABLE, notes),
        digests=DynamoDbDigests(table, _TABLE, notes),
        page_budget=DynamoDbPageBudget(table, _TABLE, _LIMITS, notes),
        pages=sinks.pages,
        operations=sinks.operations,
        unreadable_items=notes,
    )
    context: Any = Context()
    with captured(dispatcher.logger, metrics=True) as log:
        try:
            dispatcher.make_handler(lambda: build(ports), lambda: NOW)({}, context)
        except PublishFailed as error:  # such as a notification for a sink that does not exist
            dispatcher.logger.error(str(error))
        except StateUnavailable as error:
            yield Problem("an item that fails a run", str(error))
    yield from raw("the dispatcher's log", log.getvalue())
    yield from raw_pages([*sinks.pages.sent, *sinks.operations.sent])


def _keys(document: dict[str, Any]) -> Iterator[str]:
    """The incidents of a page, and of a notification that they are resolved."""
    listed = document.get("incidents", [document])
    yield from (str(each.get("incident")) for each in listed if isinstance(each, dict))


def _commands(table: Any) -> list[Command]:  # noqa: ANN401 - a client
    """The commands on this table."""
    notes = Unreadable()
    ports = IncidentPorts(
        region="eu-west-1",
        account="111122223333",
        log_group="/flow-logs",
        sinks={},
        desk=DynamoDbDesk(table, _TABLE, notes),
        mutes=DynamoDbMuteEditor(table, _TABLE, notes),
        claims=DynamoDbClaims(table, _TABLE, TERMS),
        unreadable=notes,
    )
    modules = {"incidents": incidents.run, "mutes": mutes.run}
    return [
        replace(each, run=partial(modules[each.name], wired=lambda *_: ports))
        if each.name in modules
        else each
        for each in COMMANDS
    ]


KIND: Final = Kind(
    name="incidents",
    what="items of open incidents, digests, budgets and mutes with changed members: the dispatcher, "
    "`flowwarden incidents`",
    make=drawn,
    check=check,
    size=ITEMS,
    share=0.03,
)
