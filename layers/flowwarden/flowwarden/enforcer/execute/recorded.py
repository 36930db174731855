"""Creates and deletes flow logs; the registry knows of each call before it, and of its result afterwards."""

from __future__ import annotations

from flowwarden.enforcer.decide.vpc_state import VpcState
from flowwarden.enforcer.execute.backoff import with_backoff
from flowwarden.enforcer.ports import FlowLogService, Pace
from flowwarden.enforcer.registry import ENFORCER, Creation, Registry
from flowwarden.errors import CallRefused, FlowLogExists, VpcGone


class RecordedFlowLogs:
    """The calls that change flow logs, with their records. Raises what `ports.FlowLogService` raises."""

    def __init__(self, ec2: FlowLogService, registry: Registry, pace: Pace) -> None:
        self._ec2 = ec2
        self._registry = registry
        self._pace = pace

    def create(self, creation: Creation) -> str:
        """Create a flow log and return its id.

        Without the state table, the flow log is created all the same, but is not managed.
        """

        def call() -> str:
            return self._ec2.create(creation.vpc_id, creation.flow_log, creation.client_token)

        self._registry.put(creation)
        try:
            flow_log_id = with_backoff(call, self._pace)
        except (FlowLogExists, VpcGone, CallRefused):
            self._registry.remove(creation)
            raise
        self._registry.created(creation, flow_log_id)
        return flow_log_id

    def delete(self, flow_log_id: str, vpc_state: VpcState) -> None:
        """Delete a managed flow log of the VPC. Raises CallFailed if that cannot be recorded."""
        (flow_log,) = (each for each in vpc_state.parts.flow_logs if each.flow_log_id == flow_log_id)
        entry = self._registry.about_to_delete(flow_log, ENFORCER, vpc_state.at)
        try:
            with_backoff(lambda: self._ec2.delete(flow_log_id), self._pace)
        except CallRefused:
            self._registry.remove(entry)
            raise
        self._registry.done_deleting(entry)
