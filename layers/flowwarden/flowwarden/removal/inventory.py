"""What an installation has in the account, besides what CloudFormation deletes with the stack."""

from __future__ import annotations

from msgspec import Struct


class Filter(Struct, frozen=True, kw_only=True):
    """A subscription filter that sends to the monitor."""

    group: str
    name: str


class OwnFlowLog(Struct, frozen=True, kw_only=True):
    """A flow log with the stack's tag."""

    flow_log_id: str
    resource_id: str
    """The VPC, subnet, interface or transit gateway."""


class OwnGroup(Struct, frozen=True, kw_only=True):
    """A log group of the stack, or one that the enforcer created beside it."""

    name: str
    stored_bytes: int | None = None
    protected: bool = False
    """Whether deletion protection is on."""


class Inventory(Struct, frozen=True, kw_only=True):
    """What there is at this moment."""

    stack: str
    region: str
    account: str = ""
    exists: bool = True
    """Whether the stack exists. Without it, nothing can be proven to be its own."""
    status: str = ""
    protected: bool = False
    """Whether termination protection is on."""
    enforcer: str = ""
    """The name of the enforcer's function; '' if it is gone."""
    stopped: bool = False
    """Whether its reserved concurrency is 0, so that it does not run."""
    rules: tuple[str, ...] = ()
    """The enabled rules that start the enforcer."""
    filters: tuple[Filter, ...] = ()
    managed: tuple[OwnFlowLog, ...] = ()
    """Flow logs with the tag and the record of their creation."""
    unproven: tuple[OwnFlowLog, ...] = ()
    """Flow logs with the tag, but without the record, which others may have created."""
    groups: tuple[OwnGroup, ...] = ()
    similar: tuple[OwnGroup, ...] = ()
    """Log groups whose names begin as if they were the stack's, but which the policy does not name."""
