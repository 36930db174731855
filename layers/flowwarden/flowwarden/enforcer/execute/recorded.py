"""Creates and deletes flow logs; stores each call in the registry before it, and its result afterward."""

from __future__ import annotations

from collections.abc import Sequence

from flowwarden.enforcer.creation import Creation
from flowwarden.enforcer.decide.delivery import may_deliver
from flowwarden.enforcer.decide.drift import is_tagged
from flowwarden.enforcer.decide.plan import Create
from flowwarden.enforcer.decide.vpc_state import VpcState
from flowwarden.enforcer.execute.backoff import with_backoff
from flowwarden.enforcer.planner import Planned
from flowwarden.enforcer.ports import FlowLogService, RunClock
from flowwarden.enforcer.registry import ENFORCER, Registry
from flowwarden.errors import CallFailed, CallRefused, FlowLogExists, VpcGone
from flowwarden.policy.transit_gateways import is_gateway


class RecordedFlowLogs:
    """The calls that change flow logs, with their records. Raises what `ports.FlowLogService` raises."""

    def __init__(self, ec2: FlowLogService, registry: Registry, clock: RunClock) -> None:
        self._ec2 = ec2
        self._registry = registry
        self._clock = clock

    def create(self, creation: Creation, replaced: Sequence[str] = ()) -> str:
        """Create a flow log and return its id.

        Without the state table, the flow log is created all the same, but is not managed.

        Args:
            creation: the call.
            replaced: what it would replace. Only with the table can the new flow log be managed and the old
                one deleted. The old one records until then, so a replacement waits for the table.

        Raises:
            CallFailed: the replacement waits.
        """

        def call() -> str:
            return self._ec2.create(creation.target, creation.flow_log, creation.client_token)

        if not self._registry.put(creation) and replaced:
            self._registry.remove(creation)
            raise CallFailed(
                f"the state table does not answer, so {', '.join(replaced)} is not replaced yet: the "
                "enforcer could not record the new flow log as managed"
            )
        try:
            flow_log_id = with_backoff(call, self._clock)
        except (FlowLogExists, VpcGone, CallRefused):
            self._registry.remove(creation)
            raise
        self._registry.created(creation, flow_log_id)
        return flow_log_id

    def delete(self, flow_log_id: str, vpc_state: VpcState) -> None:
        """Delete a managed flow log of the VPC. Raises CallFailed if that cannot be recorded."""
        (flow_log,) = (each for each in vpc_state.parts.flow_logs if each.flow_log_id == flow_log_id)
        entry = self._registry.about_to_delete(flow_log, vpc_state.vpc.vpc_id, ENFORCER, vpc_state.at)
        try:
            with_backoff(lambda: self._ec2.delete(flow_log_id), self._clock)
        except CallRefused:
            self._registry.remove(entry)
            raise
        self._registry.done_deleting(entry)


def creation_of(step: Create, token: str, now: int) -> Creation:
    """The call that a step asks for, with its client token, at this time (Unix seconds)."""
    return Creation(
        client_token=token, vpc_id=step.vpc_id, resource_id=step.resource_id, flow_log=step.flow_log, at=now
    )


def meanwhile(planned: Planned) -> str:
    """Which flow logs of this stack record although the required one cannot be created; '' if none does."""
    creates = any(isinstance(each, Create) for each in planned.plan.steps)
    recording = still_recording(planned.vpc_state) if creates else []
    verb = "records" if len(recording) == 1 else "record"
    return f"; {', '.join(recording)} still {verb}" if recording else ""


def still_recording(vpc_state: VpcState) -> list[str]:
    """The flow logs of the VPC with this stack's tag that record the required traffic, required or not.

    Others can set the tag. So the answer may postpone the creation of a flow log, but never replace it.
    """
    return [
        each.flow_log_id
        for each in vpc_state.parts.flow_logs
        if each.resource_id in {vpc_state.resource_id, vpc_state.vpc.vpc_id}
        and is_tagged(each, vpc_state.stack)
        and (each.traffic_type in {"ALL", vpc_state.desired.traffic_type} or is_gateway(each.resource_id))
        and may_deliver(each)
    ]
