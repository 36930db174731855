"""Whether the state table is as the template defines it, and answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowwarden.doctor.check import Check
from flowwarden.doctor.fact import Unread
from flowwarden.doctor.facts import Facts, Table
from flowwarden.doctor.fixes import RESTORE
from flowwarden.doctor.line import Found, Problem, Verdict

HOURS: Final = 3
"""The window in which throttled requests count."""

MISSING: Final = Problem(
    name="table-missing",
    verdict=Verdict.FAILED,
    text="the state table does not exist: pages repeat, nothing is learned, and no flow log counts as "
    "managed",
    fix=f"{RESTORE}; docs/decisions/flow-logs-are-tagged.md describes how flow logs are recorded again",
)
NOT_ACTIVE: Final = Problem(
    name="table-not-active",
    verdict=Verdict.FAILED,
    text="the state table is in the state {status}",
    fix="aws dynamodb describe-table --table-name {subject} --region {region} shows the cause",
)
NO_INDEX: Final = Problem(
    name="table-index",
    verdict=Verdict.FAILED,
    text="the index `open` of the state table is {status}, so the dispatcher finds no incident",
    fix=f"wait if it is being created; otherwise {RESTORE}",
)
NO_EXPIRY: Final = Problem(
    name="table-without-expiry",
    verdict=Verdict.WARNING,
    text="DynamoDB does not delete expired items, so the table grows; reads ignore them",
    fix="aws dynamodb update-time-to-live --table-name {subject} --region {region} "
    "--time-to-live-specification Enabled=true,AttributeName=expires_at",
)
NO_RECOVERY: Final = Problem(
    name="table-without-recovery",
    verdict=Verdict.WARNING,
    text="point-in-time recovery is off, so a deleted or damaged item cannot be restored",
    fix="aws dynamodb update-continuous-backups --table-name {subject} --region {region} "
    "--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true",
)
THROTTLED: Final = Problem(
    name="table-throttled",
    verdict=Verdict.WARNING,
    text=f"DynamoDB throttled {{throttled}} requests in the last {HOURS} hours; batches are retried, and "
    "host history is incomplete until then",
    fix="check whether a maximum throughput is set for the table, and the account's quotas in Service Quotas",
)


def _judge(_name: str, table: Table, _facts: Facts) -> Iterator[Found | Unread]:
    if table.status not in {"ACTIVE", "UPDATING"}:
        yield NOT_ACTIVE.of(status=table.status or "unknown")
    if table.index != "ACTIVE":
        yield NO_INDEX.of(status=table.index.lower() or "missing")
    yield from (each for each in (table.expiry, table.recovery, table.throttled) if isinstance(each, Unread))
    if table.expiry is False:
        yield NO_EXPIRY.of()
    if table.recovery is False:
        yield NO_RECOVERY.of()
    if isinstance(table.throttled, int) and table.throttled:
        yield THROTTLED.of(throttled=table.throttled)


CHECK: Final = Check(
    name="state-table",
    verifies="the state table and its index are active, expired items are deleted, point-in-time recovery "
    "is on, and no request is throttled",
    sound="active, with its index, expiry and recovery, and without throttling",
    subjects=lambda facts: {facts.resources.get("StateTable", "state table"): facts.table},
    judge=_judge,
    missing=MISSING,
    problems=(MISSING, NOT_ACTIVE, NO_INDEX, NO_EXPIRY, NO_RECOVERY, THROTTLED),
)
