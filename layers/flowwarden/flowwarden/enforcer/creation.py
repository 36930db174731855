"""What is stored about the creation of a flow log: the call, and the record that this stack made it."""

from __future__ import annotations

from msgspec import Struct

from flowwarden.enforcer.state.desired import DesiredFlowLog


class Creation(Struct, frozen=True, kw_only=True):
    """A call of CreateFlowLogs whose result is not recorded yet."""

    client_token: str
    vpc_id: str
    resource_id: str = ""
    """The subnet or interface in the VPC; '' if the flow log is that of the VPC."""
    flow_log: DesiredFlowLog
    at: int
    """Unix seconds."""

    @property
    def target(self) -> str:
        """The id of the resource whose traffic the flow log records."""
        return self.resource_id or self.vpc_id


class ManagedFlowLog(Struct, frozen=True, kw_only=True):
    """The record that this stack created a flow log, or was asked to manage it."""

    flow_log_id: str
    vpc_id: str
    """'' if unknown, of a subnet or an interface."""
    resource_id: str = ""
    """The subnet or interface in the VPC; '' if the flow log is that of the VPC."""
    at: int
    """When it was recorded; Unix seconds."""
    on_request: bool = False
    """Whether a person had it recorded."""

    @property
    def target(self) -> str:
        """The id of the resource whose traffic the flow log records."""
        return self.resource_id or self.vpc_id
