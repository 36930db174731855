"""Deletions of flow logs: stored with their principal, and reported once, also if they have no effect.

An event names a deleted flow log and the principal, but not the VPC: that comes from the registry, or from
EC2 as long as it lists the flow log. A sweep that misses a flow log waits for the event. Without one, as in
an account without a trail, it reports the deletion without a principal.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from functools import partial
from typing import Final

from msgspec.structs import replace

from flowwarden.enforcer.creation import ManagedFlowLog
from flowwarden.enforcer.deletion_call import DeletionCall
from flowwarden.enforcer.observe import Observed
from flowwarden.enforcer.ports import RunClock
from flowwarden.enforcer.registry import DeletedFlowLog, KnownFlowLog, Registry
from flowwarden.enforcer.reporting.report import DELETED, EnforcementReport, Result
from flowwarden.enforcer.state.inventory import FlowLog
from flowwarden.enforcer.triggers.trigger import LONGEST_ID, Trigger
from flowwarden.notify.claims import digest
from flowwarden.policy.transit_gateways import is_gateway

MISSED_SECONDS: Final = 3600
"""How long a missing flow log waits for its event: EventBridge tries to deliver for an hour."""
SHOWN_SECONDS: Final = 15 * 60
"""By this age, EC2 lists a flow log."""
LONGEST_RUN_SECONDS: Final = 15 * 60
"""The longest timeout of a Lambda function: a concurrent run may be about to report what it deleted."""
LOCATED_AT_MOST: Final = 20
"""Resources of one CreateFlowLogs call of which each of its flow logs may be one. Of a larger call, which may
name hundreds, the next sweep notes the resource of each flow log."""
STORED_APART: Final = 20
"""Deletions of a call that are stored as an item each; those of a larger call are one item."""
NOTED_AT_MOST: Final = 500
"""What a run notes about flow logs, a write each; the next sweep notes more."""
REPORTED_AT_MOST: Final = 300
"""Deletions that one report contains: each is marked as reported, with a write. The next run reports more."""
REPORT_SECONDS: Final = 120
"""Of a run: reserved for its report, and for the VPCs of an event, when it notes flow logs. The claims of a
report take a minute and a half if each call to the state table takes two seconds."""


def note_event(registry: Registry, trigger: Trigger, clock: RunClock, now: int) -> None:
    """Store what an event contains: the flow logs that others created or deleted, and the caller.

    The deletions of a large call are one item, so they are stored even if the table is slow. If there is not
    enough time to store all creations, the next sweep notes the others.
    """
    # With a time ahead, a flow log that EC2 lists would count as deleted until then.
    at = min(trigger.happened_at or now, now)
    if trigger.origin is not None and len(trigger.deleted) > STORED_APART:
        call_id = trigger.idempotency_key[:LONGEST_ID] or digest(*trigger.deleted)
        known = registry.calls.get(call_id)
        if known is None:
            ids, caller = trigger.deleted, trigger.origin
            registry.put(DeletionCall(call_id=call_id, at=at, caller=caller, flow_log_ids=ids))
    else:
        _note_deleted(registry, trigger, at)
    _expand(registry)
    for flow_log_id, named in trigger.created[:NOTED_AT_MOST]:
        if clock.remaining() < REPORT_SECONDS:
            return
        resource_ids = named if len(named) <= LOCATED_AT_MOST else ()
        for change in _locate(registry, flow_log_id, resource_ids):
            change()
        if not _is_noted(registry, flow_log_id):
            registry.put(_known(flow_log_id, resource_ids, _vpc(resource_ids), at))


def _note_deleted(registry: Registry, trigger: Trigger, at: int) -> None:
    for flow_log_id in trigger.deleted:
        before = registry.deleted.get(flow_log_id)
        if before is None or not _is_attributed(before):
            registry.put(replace(_entry(registry, flow_log_id, at), caller=trigger.origin))


def _expand(registry: Registry) -> None:
    """Let this run know the deletions of large calls; an entry of its own says more about one of them."""
    for call in registry.calls.values():
        reported = set(call.reported)
        for each in call.flow_log_ids:
            before = registry.deleted.get(each)
            if before is None or not _is_attributed(before):
                before = replace(_entry(registry, each, call.at), caller=call.caller)
            registry.keep(replace(before, reported=before.reported or each in reported))


def follow(registry: Registry, observed: Observed, clock: RunClock, now: int) -> None:
    """Compare the registry with all flow logs of the account: store the new and the deleted ones.

    Call it only if all VPCs were observed, and after they are covered: in a large account it takes seconds.
    The number of changes in a run is limited; the next sweep stores the others.
    """
    changes = _changes(registry, observed, now)
    for _, change in zip(range(NOTED_AT_MOST), changes, strict=False):
        if clock.remaining() < REPORT_SECONDS:
            return
        change()


def _changes(registry: Registry, observed: Observed, now: int) -> Iterator[Callable[[], object]]:
    """What to write, one after the other; each is computed after the one before was made."""
    listed = {each.flow_log_id: each for each in observed.listed}
    vpcs = {one.flow_log_id: vpc for vpc, parts in observed.resources.items() for one in parts.flow_logs}
    yield from _retract(registry, listed, now)
    for each in listed.values():
        yield from _locate(registry, each.flow_log_id, (each.resource_id,))
        yield from _specify(registry, each, vpcs.get(each.flow_log_id, ""))
    yield from _miss(registry, listed, observed, now)
    yield from _forget(registry, set(listed), observed, now)
    for each in listed.values():
        if not _is_noted(registry, each.flow_log_id):
            vpc_id, at = vpcs.get(each.flow_log_id, ""), min(each.creation_time or now, now)
            yield partial(registry.put, _known(each.flow_log_id, (each.resource_id,), vpc_id, at))


def reported_by(
    report: EnforcementReport, registry: Registry, observed: Observed | None, now: int
) -> EnforcementReport:
    """The report with the deletions that no report contained yet, and with those of this run.

    What this run deleted is in the outcome of the VPC, unless a later step for the VPC failed.
    """
    results = {*DELETED, Result.ROLLED_BACK}
    reported = {each.vpc_id for each in report.outcomes if each.result in results}
    here = registry.deleted_here
    unknown = {each.flow_log_id for each in _unreported(registry, observed, now) if not each.resource_ids}
    registry.read_again(unknown)
    unreported = _unreported(registry, observed, now)
    found = (*unreported[:REPORTED_AT_MOST], *(each for each in here if each.vpc_id not in reported))
    return replace(
        report,
        deletions=found,
        deletions_later=len(unreported[REPORTED_AT_MOST:]),
        replaced=tuple(each for each in here if each.vpc_id in reported),
        located=tuple(registry.located),
    )


def _unreported(registry: Registry, observed: Observed | None, now: int) -> tuple[DeletedFlowLog, ...]:
    """The deletions to report, oldest first.

    Those of this run are not among them: its results contain them. Those of an earlier run of the enforcer
    are, if EC2 no longer lists the flow log and that run must be over: it may have ended before its report.
    """
    here = {each.flow_log_id for each in registry.deleted_here}
    listed = {each.flow_log_id for each in observed.listed} if observed is not None else set[str]()
    found = [
        each
        for each in registry.deleted.values()
        if not each.reported and each.flow_log_id not in here and _is_certain(each, observed, listed, now)
    ]
    return tuple(sorted(found, key=lambda each: (each.at, each.flow_log_id)))


def _is_certain(entry: DeletedFlowLog, observed: Observed | None, listed: Container[str], now: int) -> bool:
    age, is_listed = now - entry.at, entry.flow_log_id in listed
    if entry.is_own:
        listable = observed is not None and observed.is_listable(entry.flow_log_id, entry.vpc_id)
        return age >= LONGEST_RUN_SECONDS and listable and not is_listed
    # A flow log that is listed again may still count as missing: a run takes back only so many notes.
    return entry.caller is not None or (not entry.with_vpc and not is_listed and age >= MISSED_SECONDS)


def _is_attributed(entry: DeletedFlowLog) -> bool:
    """Whether an event named the caller, or the enforcer reported that it was itself."""
    return entry.caller is not None and bool(entry.reported or not entry.is_own)


def _is_noted(registry: Registry, flow_log_id: str) -> bool:
    return any(flow_log_id in each for each in (registry.managed, registry.known, registry.deleted))


def _entry(registry: Registry, flow_log_id: str, at: int) -> DeletedFlowLog:
    """A new entry with what the registry knows about the flow log."""
    managed, known = registry.managed.get(flow_log_id), registry.known.get(flow_log_id)
    before = registry.deleted.get(flow_log_id)
    if before is not None:
        return replace(before, at=at, reported=False)
    if managed is not None:
        target, vpc_id = managed.target, managed.vpc_id
        return DeletedFlowLog(
            flow_log_id=flow_log_id, resource_ids=(target,), vpc_id=vpc_id, managed=True, at=at
        )
    if known is not None:
        resource_ids, vpc_id = known.resource_ids, known.vpc_id
        return DeletedFlowLog(flow_log_id=flow_log_id, resource_ids=resource_ids, vpc_id=vpc_id, at=at)
    return DeletedFlowLog(flow_log_id=flow_log_id, at=at)


def _locate(
    registry: Registry, flow_log_id: str, resource_ids: tuple[str, ...]
) -> Iterator[Callable[[], object]]:
    """Add the resource of a deleted flow log: EC2 may still list it, or its creation is reported late."""
    entry = registry.deleted.get(flow_log_id)
    if entry is not None and not entry.resource_ids:
        yield partial(registry.locate, entry, resource_ids, _vpc(resource_ids))


def _specify(registry: Registry, flow_log: FlowLog, vpc_id: str) -> Iterator[Callable[[], object]]:
    """Note the resource of an unmanaged flow log of which a call said only that it is one of several."""
    known = registry.known.get(flow_log.flow_log_id)
    if known is not None and known.resource_ids != (flow_log.resource_id,):
        yield partial(registry.put, replace(known, resource_ids=(flow_log.resource_id,), vpc_id=vpc_id))


def _retract(registry: Registry, listed: Container[str], now: int) -> Iterator[Callable[[], object]]:
    """Take back that a flow log is missing, or that the enforcer deletes it, if EC2 lists it again."""
    for entry in list(registry.deleted.values()):
        doubtful = entry.caller is None or (entry.is_own and not entry.reported)
        lasts = entry.caller is None or now - entry.at >= MISSED_SECONDS
        if entry.flow_log_id in listed and doubtful and lasts:
            yield partial(registry.remove, entry)


def _miss(
    registry: Registry, listed: Container[str], observed: Observed, now: int
) -> Iterator[Callable[[], object]]:
    """Note the flow logs that EC2 no longer lists."""
    entries: list[ManagedFlowLog | KnownFlowLog] = [*registry.managed.values(), *registry.known.values()]
    for each in entries:
        noted = each.flow_log_id in registry.deleted or each.flow_log_id in listed
        missing = not noted and observed.is_listable(each.flow_log_id, each.vpc_id)
        if missing and now - each.at >= SHOWN_SECONDS:
            yield partial(registry.put, _entry(registry, each.flow_log_id, now))


def _forget(
    registry: Registry, listed: Container[str], observed: Observed, now: int
) -> Iterator[Callable[[], object]]:
    """Remove the records of flow logs that are gone. A deleted VPC takes its flow logs along."""
    # Their resources are only in these records until they are reported.
    waiting = {each for call in registry.calls.values() for each in call.flow_log_ids}
    for entry in list(registry.deleted.values()):
        gone = entry.flow_log_id not in listed and observed.is_listable(entry.flow_log_id, entry.vpc_id)
        without_vpc = observed.lacks_vpc(entry.vpc_id)
        deleted_with_vpc = entry.caller is None and (without_vpc or observed.lacks(entry.resource_ids))
        gone &= entry.reported or entry.flow_log_id not in waiting
        if gone and (entry.caller is not None or deleted_with_vpc or now - entry.at >= MISSED_SECONDS):
            for record in (registry.managed.get(entry.flow_log_id), registry.known.get(entry.flow_log_id)):
                if record is not None:
                    yield partial(registry.remove, record)
        if gone and deleted_with_vpc and not entry.with_vpc:
            yield partial(registry.put, replace(entry, with_vpc=True))


def _known(flow_log_id: str, resource_ids: tuple[str, ...], vpc_id: str, at: int) -> KnownFlowLog:
    return KnownFlowLog(flow_log_id=flow_log_id, resource_ids=resource_ids, vpc_id=vpc_id, at=at)


def _vpc(resource_ids: tuple[str, ...]) -> str:
    """The VPC or transit gateway, if that is the only resource."""
    whole = len(resource_ids) == 1 and (resource_ids[0].startswith("vpc-") or is_gateway(resource_ids[0]))
    return resource_ids[0] if whole else ""
