"""An account in memory with one installation, which an enforcer may restore."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from flowwarden.errors import EnforcementError
from flowwarden.removal.inventory import Filter, Inventory, OwnFlowLog, OwnGroup
from flowwarden.removal.plan import (
    DeleteFilter,
    DeleteFlowLog,
    DeleteLogGroup,
    DeleteStack,
    DisableRule,
    Step,
    StopEnforcer,
)
from flowwarden.removal.ports import Deletion
from flowwarden.removal.remove import Progress

OWN: Final = "/flow-warden/flow-logs"
FILTER: Final = Filter(group=OWN, name="flow-warden")
ADOPTED: Final = Filter(group="/aws/vpc/vpc-1", name="flow-warden")
FLOW_LOG: Final = OwnFlowLog(flow_log_id="fl-1", resource_id="vpc-1")
UNPROVEN: Final = OwnFlowLog(flow_log_id="fl-9", resource_id="vpc-9")
INSTALLED: Final = Inventory(
    stack="flow-warden",
    region="eu-west-1",
    account="111122223333",
    status="UPDATE_COMPLETE",
    enforcer="flow-warden-enforcer",
    rules=("flow-warden-sweep",),
    filters=(FILTER, ADOPTED),
    managed=(FLOW_LOG,),
    unproven=(UNPROVEN,),
    groups=(OwnGroup(name=OWN, stored_bytes=12_500_000),),
)


class MemoryAccount:
    """Takes steps on an inventory."""

    def __init__(
        self,
        found: Inventory = INSTALLED,
        faults: Mapping[type[Step], EnforcementError] | None = None,
        polls: int = 2,
        ends: Deletion | None = None,
    ) -> None:
        """Begin with an inventory.

        Args:
            found: what there is.
            faults: what a kind of step raises.
            polls: how often the deletion of the stack is still in progress.
            ends: how the deletion ends; by default the stack is gone.
        """
        self.now = found
        self.faults = dict(faults or {})
        self.taken: list[Step] = []
        self.restores = 0
        """How often a run of the enforcer that had begun still restores the filter of the stack."""
        self._polls = polls
        self._ends = ends or Deletion(status="")

    def inventory(self) -> Inventory:
        """See the port."""
        if self.restores and FILTER not in self.now.filters:
            self.restores -= 1
            self.now = replace(self.now, filters=(FILTER,))
        return self.now

    def carry_out(self, step: Step) -> None:
        """See the port."""
        if fault := self.faults.get(type(step)):
            raise fault
        self.taken.append(step)
        self.now = _after(step, self.now)

    def deletion(self) -> Deletion:
        """See the port."""
        self._polls -= 1
        if self._polls >= 0:
            return Deletion(status="DELETE_IN_PROGRESS", left=self._polls + 1)
        if not self._ends.status:
            self.now = replace(self.now, exists=False, status="")
        return self._ends


def _after(step: Step, now: Inventory) -> Inventory:
    match step:
        case DisableRule():
            return replace(now, rules=tuple(each for each in now.rules if each != step.rule))
        case StopEnforcer():
            return replace(now, stopped=True)
        case DeleteFilter():
            return replace(now, filters=tuple(each for each in now.filters if each != step.filter))
        case DeleteFlowLog():
            return replace(now, managed=tuple(each for each in now.managed if each != step.flow_log))
        case DeleteLogGroup():
            return replace(now, groups=tuple(each for each in now.groups if each != step.group))
        case DeleteStack():
            return replace(now, enforcer="")


class Noted:
    """Notes what the removal reports."""

    def __init__(self) -> None:
        self.done: list[Step] = []
        self.left: list[int] = []
        self.waited: list[float] = []
        self.progress = Progress(
            done=self.done.append,
            deleting=lambda state: self.left.append(state.left),
            wait=self.waited.append,
        )
