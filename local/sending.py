"""Sends an event of `events/` to a deployed function: applies its settings, and notes what is not applied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from local.clients import Clients
from local.payload import ReadableEvent


@contextmanager
def applied(settings: Mapping[str, str], function: str, clients: Clients) -> Iterator[None]:
    """Set these variables of a deployed function, and restore its own after that."""
    if not settings:
        yield
        return
    functions = clients.functions
    own = functions.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    functions.update_function_configuration(
        FunctionName=function, Environment={"Variables": {**own, **settings}}
    )
    try:
        yield
    finally:
        functions.update_function_configuration(FunctionName=function, Environment={"Variables": own})


def notes(event: ReadableEvent) -> Iterator[str]:
    """How the function and the account differ from the deployed ones, and from those of the event's file."""
    if event.settings:
        names = ", ".join(event.settings)
        yield f"For this event, the function has the event's settings instead of the stack's: {names}."
    if event.unsupported:
        yield f"The AWS emulator does not support {', '.join(event.unsupported)} of the event."
    account = {
        "account.pending": event.account.pending or None,
        "account.incidents": event.account.incidents or None,
        "account.watermarks": event.account.watermarks or None,
        "account.log_groups": event.account.log_groups,
    }
    ignored = [name for name, value in account.items() if value is not None]
    if ignored:
        yield f"`make send` ignores {' and '.join(ignored)} of the event; `make invoke` does not."
