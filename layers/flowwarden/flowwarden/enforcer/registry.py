"""The registry of flow logs in the state table: which this stack manages, which it knows, which were deleted.

A tag can be set by others, so the record of a creation decides what the enforcer may delete. It is stored in
three steps, so that a crash between them neither loses it nor makes an unmanaged flow log managed: the
creation with its client token, the call, the record. If a run ends in between, a later run repeats the call
with the same token, and EC2 answers with the id of the flow log that the call created.

A deletion is stored with its principal before anything else happens, and marked when it was reported. Each
deletion is therefore reported once, regardless of its effect and of the order and number of events and
sweeps.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final, Protocol, Self

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.enforcer.creation import Creation, ManagedFlowLog
from flowwarden.enforcer.deletion_call import DeletionCall
from flowwarden.enforcer.state.inventory import FlowLog
from flowwarden.enforcer.triggers.cloudtrail import ApiCaller
from flowwarden.enforcer.triggers.trigger import DELETION
from flowwarden.errors import CallFailed, StateUnavailable
from flowwarden.policy.transit_gateways import is_gateway
from flowwarden.state.attempts import answer, answered
from flowwarden.unreadable import CLOCKS, Unreadable

REPLAYED_SECONDS: Final = 24 * 3600
"""How long EC2 is sure to know a client token."""
LISTED_SECONDS: Final = 2 * 3600
"""How long EC2 may list a deleted flow log, at most, with an event that arrives an hour late."""
ENFORCER: Final = ApiCaller(event_name=DELETION, actor="the enforcer")
"""The caller of the enforcer's own deletions. It has no event id."""


class KnownFlowLog(Struct, frozen=True, kw_only=True):
    """An unmanaged flow log."""

    flow_log_id: str
    resource_ids: tuple[str, ...]
    """The VPC, subnet or interface; several if it is one of them, but unknown which."""
    vpc_id: str = ""
    """'' if unknown."""
    at: int = 0
    """When it was first seen; Unix seconds."""
    reported: tuple[str, ...] = ()
    """What was reported about it: names of `Topic`s."""


class DeletedFlowLog(Struct, frozen=True, kw_only=True):
    """A flow log that was deleted, or is no longer there."""

    flow_log_id: str
    resource_ids: tuple[str, ...] = ()
    vpc_id: str = ""
    """'' if unknown."""
    managed: bool = False
    at: int
    """When it was deleted or first missed; Unix seconds."""
    caller: ApiCaller | None = None
    """None as long as no event names it."""
    with_vpc: bool = False
    """Whether the VPC is gone, which takes its flow logs along: not reported unless an event names it."""
    reported: bool = False

    @property
    def is_own(self) -> bool:
        """Whether the enforcer deleted it."""
        return self.caller == ENFORCER


type Entry = Creation | ManagedFlowLog | KnownFlowLog | DeletedFlowLog | DeletionCall


def key_of(entry: Entry) -> str:
    """The key of an entry among those of its kind."""
    if isinstance(entry, Creation):
        return entry.client_token
    return entry.call_id if isinstance(entry, DeletionCall) else entry.flow_log_id


class RegistryStore(Protocol):
    """The store of the registry between runs. All methods raise StateUnavailable."""

    def load(self, kind: type[Entry] | None = None, /) -> Sequence[Entry]:
        """All entries that can be read, or those of one kind. Costs one query."""

    def put(self, *entries: Entry) -> None:
        """Add or replace different entries, at most `state.writing.MOST_TOGETHER`, in one call."""

    def remove(self, entry: Entry) -> None:
        """Remove an entry; does nothing if it does not exist."""


def _plausible(entries: Iterable[Entry], now: int, unreadable: Unreadable) -> Iterator[Entry]:
    """The entries. One with a time that cannot be true has none; a damaged record proves nothing."""
    for each in entries:
        if 0 <= each.at <= now + CLOCKS:
            yield each
            continue
        unreadable.note(f"{type(each).__name__} {key_of(each)}", "has a time that cannot be true")
        if not isinstance(each, ManagedFlowLog):
            yield replace(each, at=0)


class Registry:
    """The registry within one run: as loaded at its start, with the changes of the run."""

    def __init__(
        self,
        store: RegistryStore,
        entries: Iterable[Entry] = (),
        *,
        unavailable: bool = False,
        dry_run: bool = False,
    ) -> None:
        self._store = store
        self.dry_run = dry_run
        self.unavailable = unavailable
        """Whether the state table was unavailable. Then nothing counts as managed, and nothing is deleted."""
        self.creations: dict[str, Creation] = {}
        self.managed: dict[str, ManagedFlowLog] = {}
        self.known: dict[str, KnownFlowLog] = {}
        self.deleted: dict[str, DeletedFlowLog] = {}
        self.calls: dict[str, DeletionCall] = {}
        self.deleted_here: list[DeletedFlowLog] = []
        """What this run itself deleted."""
        self.located: list[DeletedFlowLog] = []
        """Deletions that were reported without a resource, and whose resource this run learned."""
        for each in entries:
            self.keep(each)

    @classmethod
    def load(
        cls,
        store: RegistryStore,
        now: int | None = None,
        unreadable: Unreadable | None = None,
        *,
        dry_run: bool = False,
        kind: type[Entry] | None = None,
    ) -> Self:
        """Read the registry; it is empty if the state table is unavailable. A dry run writes nothing.

        Args:
            store: the store.
            now: Unix seconds; without it, times are not checked.
            unreadable: where an entry with a time that cannot be true is noted.
            dry_run: whether the run only plans.
            kind: the only kind of entry to read; None for all.
        """
        entries = answer(lambda: store.load(kind))
        if entries is None:
            return cls(store, unavailable=True, dry_run=dry_run)
        if now is not None:
            entries = list(_plausible(entries, now, unreadable or Unreadable()))
        return cls(store, entries, dry_run=dry_run)

    def marked(self, flow_logs: Iterable[FlowLog]) -> list[FlowLog]:
        """The flow logs, each with whether the record of its creation for that resource exists."""
        return [replace(each, recorded=self._has_record(each)) for each in flow_logs]

    @property
    def has_parts(self) -> bool:
        """Whether some managed flow log is that of a subnet or an interface."""
        return any(each.resource_id for each in self.managed.values())

    @property
    def has_gateways(self) -> bool:
        """Whether some managed flow log is that of a transit gateway."""
        return any(is_gateway(each.target) for each in self.managed.values())

    def is_gone(self, flow_log_id: str, now: int) -> bool:
        """Whether an event recently reported that a flow log was deleted; EC2 may still list it."""
        entry = self.deleted.get(flow_log_id)
        named = entry is not None and entry.caller is not None and not entry.is_own
        return named and entry is not None and now - entry.at < LISTED_SECONDS

    def put(self, entry: Entry) -> bool:
        """Store an entry, and return whether it is stored.

        This run keeps it in any case. If the table does not answer, it stores nothing more; a dry run stores
        nothing.
        """
        self.keep(entry)
        return self._write(lambda: self._store.put(entry))

    def remove(self, *entries: Entry | None) -> None:
        """Remove entries; those that could not be removed are removed by a later run."""
        for entry in entries:
            if entry is None:
                continue
            self._write(partial(self._store.remove, entry))
            self._drop(entry)

    def created(self, creation: Creation, flow_log_id: str) -> None:
        """Store the record of a creation that EC2 confirmed."""
        if flow_log_id in self.deleted:
            # EC2 repeats the answer of the first call with the token, even if that flow log was deleted.
            return
        record = ManagedFlowLog(
            flow_log_id=flow_log_id,
            vpc_id=creation.vpc_id,
            resource_id=creation.resource_id,
            at=creation.at,
        )
        if self.put(record):
            self.remove(creation, self.known.get(flow_log_id))
        else:
            # What is not stored must not allow a deletion, not even in this run.
            self._drop(record)

    def locate(self, entry: DeletedFlowLog, resource_ids: tuple[str, ...], vpc_id: str) -> None:
        """Store the resource of a deleted flow log, or those of which it had one."""
        found = replace(entry, resource_ids=resource_ids, vpc_id=vpc_id)
        if self.put(found) and entry.reported and resource_ids:
            self.located.append(found)

    def read_again(self, flow_log_ids: Collection[str]) -> None:
        """Take over what other runs stored in the meantime about the resources of these deleted flow logs.

        The events of a creation and a deletion arrive in any order, often at the same time. Costs a query.
        """
        if not flow_log_ids or self.unavailable:
            return
        with suppress(StateUnavailable):
            for each in self._store.load():
                if not isinstance(each, Creation | DeletionCall) and each.flow_log_id in flow_log_ids:
                    self._take_over(each)

    def _take_over(self, stored: ManagedFlowLog | KnownFlowLog | DeletedFlowLog) -> None:
        entry, managed = self.deleted[stored.flow_log_id], isinstance(stored, ManagedFlowLog)
        resource_ids = (stored.target,) if isinstance(stored, ManagedFlowLog) else stored.resource_ids
        if resource_ids and not entry.resource_ids:
            found = replace(entry, resource_ids=resource_ids, vpc_id=stored.vpc_id, managed=managed)
            self.deleted[stored.flow_log_id] = found

    def about_to_delete(self, flow_log: FlowLog, vpc_id: str, caller: ApiCaller, now: int) -> DeletedFlowLog:
        """Store that this run deletes a managed flow log of a VPC, or of a part of it.

        Raises:
            CallFailed: it could not be stored, so nothing may be deleted.
        """
        entry = DeletedFlowLog(
            flow_log_id=flow_log.flow_log_id,
            resource_ids=(flow_log.resource_id,),
            vpc_id=vpc_id,
            managed=True,
            at=now,
            caller=caller,
        )
        if not self.put(entry):
            raise CallFailed("the state table does not answer, so the deletion cannot be recorded")
        return entry

    def done_deleting(self, entry: DeletedFlowLog) -> None:
        """Note that this run deleted a flow log."""
        self.deleted_here.append(entry)
        self.remove(self.managed.get(entry.flow_log_id))

    def _write(self, write: Callable[[], None]) -> bool:
        """Make a write, unless the table does not answer; return whether it is made. A dry run makes none."""
        if not self.dry_run and not self.unavailable:
            self.unavailable = not answered(write)
        return not self.unavailable or self.dry_run

    def _has_record(self, flow_log: FlowLog) -> bool:
        record = self.managed.get(flow_log.flow_log_id)
        return record is not None and record.target == flow_log.resource_id

    def keep(self, entry: Entry) -> None:
        """Use an entry in this run without storing it."""
        self._of(entry)[key_of(entry)] = entry

    def _drop(self, entry: Entry) -> None:
        self._of(entry).pop(key_of(entry), None)

    def _of(self, entry: Entry) -> dict[str, Any]:
        match entry:
            case Creation():
                return self.creations
            case ManagedFlowLog():
                return self.managed
            case KnownFlowLog():
                return self.known
            case DeletionCall():
                return self.calls
            case DeletedFlowLog():
                return self.deleted
