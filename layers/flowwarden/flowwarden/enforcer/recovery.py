"""Finds out what an earlier run created, if that run ended before it stored the record.

The proof comes from EC2: a call with the same client token and the same parameters creates nothing and
answers with the id of the flow log that the first call created. A tag, which others can set, only shows that
it is worth asking. If EC2 no longer knows the token, it refuses a second flow log to the same destination.
"""

from __future__ import annotations

from collections.abc import Iterable

from flowwarden.enforcer.creation import Creation
from flowwarden.enforcer.decide.drift import is_tagged, same_destination
from flowwarden.enforcer.execute.backoff import has_time, with_backoff
from flowwarden.enforcer.ports import FlowLogService, RunClock
from flowwarden.enforcer.registry import REPLAYED_SECONDS, Registry
from flowwarden.enforcer.state.inventory import FlowLog
from flowwarden.enforcer.state.stack import Stack
from flowwarden.errors import EnforcementError, FlowLogExists, VpcGone


def recover(
    registry: Registry,
    flow_logs: Iterable[FlowLog],
    ec2: FlowLogService,
    stack: Stack,
    clock: RunClock,
    now: int,
) -> bool:
    """Record the flow logs that earlier runs created without a record; returns whether there are any.

    A creation without such a flow log stays until the table removes it: EC2 may not list its result yet.
    """
    unrecorded = [each for each in flow_logs if not each.recorded and is_tagged(each, stack)]
    found = False
    for creation in list(registry.creations.values()):
        asked = any(_may_be(each, creation, stack) for each in unrecorded)
        if asked and now - creation.at < REPLAYED_SECONDS and has_time(clock):
            found |= _replay(creation, registry, ec2, clock)
    return found


def _may_be(flow_log: FlowLog, creation: Creation, stack: Stack) -> bool:
    """Whether a flow log may be the result of a creation."""
    there = flow_log.resource_id == creation.target
    return there and same_destination(flow_log, creation.flow_log, stack)


def _replay(creation: Creation, registry: Registry, ec2: FlowLogService, clock: RunClock) -> bool:
    def create() -> str:
        return ec2.create(creation.target, creation.flow_log, creation.client_token)

    try:
        registry.created(creation, with_backoff(create, clock))
    except (FlowLogExists, VpcGone):
        # EC2 does not say that this call created it: others did, and the flow log stays unmanaged.
        registry.remove(creation)
        return False
    except EnforcementError:
        # No answer, or a refusal that may pass, such as a permission that is missing: asked again.
        return False
    return True
