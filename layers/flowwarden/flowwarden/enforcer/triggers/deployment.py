"""A deployment of the stack, as CloudFormation reports it.

The rule of the template turns this event into one of the schedule. The queue of events that EventBridge could
not deliver may contain the event itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flowwarden.enforcer.state.stack import Stack
from flowwarden.enforcer.triggers.cloudtrail import mapping, text

STACK_STATUS: Final = "CloudFormation Stack Status Change"


def reports_deployment(event: Mapping[str, Any], stack: Stack) -> bool:
    """Whether an event is about a change of this stack."""
    if event.get("detail-type") != STACK_STATUS:
        return False
    return f":stack/{stack.stack_name}/" in text(mapping(event.get("detail")).get("stack-id"))
