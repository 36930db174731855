"""Runs the enforcer's handler on an event, and checks what it sends and logs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import msgspec
from msgspec.structs import replace

import enforcer
from benchmarks.fuzz.kind import Problem, raw, raw_pages
from benchmarks.fuzz.table import Table
from flowwarden.aws.dynamodb.claims import DynamoDbClaims
from flowwarden.aws.dynamodb.outbox import DynamoDbOutbox
from flowwarden.aws.dynamodb.registry import DynamoDbRegistry
from flowwarden.aws.dynamodb.sets import DynamoDbEvidence
from flowwarden.aws.dynamodb.work_queue import DynamoDbWorkQueue
from flowwarden.bootstrap.enforcer import build
from flowwarden.errors import EnforcementIncomplete, PublishFailed
from flowwarden.notify.notification import Notification
from flowwarden.settings import EnforcerSettings
from flowwarden.unreadable import Unreadable
from tests.enforcer.fakes import TERMS
from tests.functions.captured import captured
from tests.functions.test_enforcer_events import Context, Run
from tests.hostile import texts

_TABLE: Final = "state"
REFUSED: Final = EnforcementIncomplete, PublishFailed
"""The errors that the handler may raise, so that Lambda retries the event."""


class _Wire:
    """Wraps a port and encodes the arguments of its calls, as boto3 does; raises if that is impossible."""

    def __init__(self, port: object) -> None:
        self._port = port

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._port, name)

        def call(*given: object) -> object:
            msgspec.json.encode(given)
            return method(*given)

        return call


def handler(run: Run, on: Table) -> enforcer.Handler:
    """The handler in the account of an example event, with this state table."""
    table: Any = on
    settings, notes = EnforcerSettings.from_mapping(run.environment), Unreadable()
    aws, wire = run.fakes.aws(), _wired
    ports = replace(
        aws,
        ec2=wire(aws.ec2),
        groups=wire(aws.groups),
        evidence=DynamoDbEvidence(table, _TABLE, notes),
        queue=DynamoDbWorkQueue(table, _TABLE, notes),
        registry=DynamoDbRegistry(table, _TABLE, notes),
        claims=DynamoDbClaims(table, _TABLE, TERMS, notes),
        outbox=DynamoDbOutbox(table, _TABLE, notes),
        unreadable_items=notes,
    )
    return enforcer.make_handler(lambda _clock: build(settings, ports), now=lambda: run.now)


def _wired(port: object) -> Any:  # noqa: ANN401 - the type of the port
    return _Wire(port)


def process(handle: enforcer.Handler, event: object, sent: Iterable[Notification]) -> Iterator[Problem]:
    """Process an event and yield the problems; `sent` receives the notifications of the handler."""
    context: Any = Context()
    result: object = {}
    with captured(enforcer.logger, metrics=True) as log:
        try:
            result = handle(event, context)
        except REFUSED as error:
            enforcer.logger.error(str(error))
    yield from raw("the enforcer's log", log.getvalue())
    yield from raw_pages(sent)
    for each in texts(result):
        yield from raw("the enforcer's answer", each)
