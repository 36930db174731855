"""Marks deletions in the registry as reported."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import batched

from msgspec.structs import replace

from flowwarden.enforcer.deletion_call import DeletionCall
from flowwarden.enforcer.registry import DeletedFlowLog, Entry, RegistryStore
from flowwarden.state.writing import MOST_TOGETHER


def mark_reported(
    deletions: Iterable[DeletedFlowLog], store: RegistryStore, calls: Iterable[DeletionCall] = ()
) -> None:
    """Store that deletions were reported: a write for each call in `calls`, and for each other deletion.

    A slow table needs one call for each `MOST_TOGETHER` of them. Raises StateUnavailable.
    """
    marks: list[Entry] = []
    left = {each.flow_log_id: each for each in deletions}
    for call in calls:
        of_call = [each for each in call.flow_log_ids if left.pop(each, None) is not None]
        reported = tuple(dict.fromkeys((*call.reported, *of_call)))
        if reported != call.reported:
            marks.append(replace(call, reported=reported))
    marks += [replace(each, reported=True) for each in left.values()]
    for some in batched(marks, MOST_TOGETHER, strict=False):
        store.put(*some)
