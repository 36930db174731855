"""Whether the failure queues exist and are empty."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowwarden.doctor.check import Check
from flowwarden.doctor.facts import Facts
from flowwarden.doctor.fixes import RESTORE
from flowwarden.doctor.line import Found, Problem, Verdict

MISSING: Final = Problem(
    name="queue-missing",
    verdict=Verdict.FAILED,
    text="the failure queue does not exist, so what cannot be processed is lost",
    fix=RESTORE,
)
FILLED: Final = Problem(
    name="queue-filled",
    verdict=Verdict.FAILED,
    text="the failure queue has {messages} messages: batches or events that were not processed",
    fix="correct the cause that flowwarden redrive --dry-run --queue {subject} --stack {stack} --region "
    "{region} prints, then run the same without --dry-run",
)


def _judge(_name: str, messages: int, _facts: Facts) -> Iterator[Found]:
    if messages:
        yield FILLED.of(messages=messages)


CHECK: Final = Check(
    name="queues",
    verifies="each failure queue exists and is empty",
    sound="empty",
    subjects=lambda facts: facts.queues,
    judge=_judge,
    missing=MISSING,
    problems=(MISSING, FILLED),
)
