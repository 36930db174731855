"""The rules that invoke the functions by time, which are off during most tests."""

from __future__ import annotations

from typing import Final

from local.clients import Clients
from local.stack import Stack

SCHEDULES: Final = ("DispatchSchedule", "RetrySchedule", "SweepSchedule")
"""Their logical ids."""


def enable(clients: Clients, stack: Stack) -> None:
    """Switch all of them on, as they are after a deployment."""
    for each in SCHEDULES:
        clients.events.enable_rule(Name=stack.resources[each])


def disable(clients: Clients, stack: Stack) -> None:
    """Switch all of them off."""
    for each in SCHEDULES:
        clients.events.disable_rule(Name=stack.resources[each])
