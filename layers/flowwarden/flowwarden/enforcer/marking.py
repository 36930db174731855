"""Marks deletions in the registry as reported."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from flowwarden.enforcer.deletion_call import DeletionCall
from flowwarden.enforcer.registry import DeletedFlowLog, RegistryStore


def mark_reported(
    deletions: Iterable[DeletedFlowLog], store: RegistryStore, calls: Iterable[DeletionCall] = ()
) -> None:
    """Store that deletions were reported: a write for each call in `calls`, and for each other deletion.

    Raises StateUnavailable.
    """
    left = {each.flow_log_id: each for each in deletions}
    for call in calls:
        of_call = [each for each in call.flow_log_ids if left.pop(each, None) is not None]
        reported = tuple(dict.fromkeys((*call.reported, *of_call)))
        if reported != call.reported:
            store.put(replace(call, reported=reported))
    for each in left.values():
        store.put(replace(each, reported=True))
