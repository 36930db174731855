"""Whether the secrets of the configured services outside AWS exist; `flowwarden test-page` tries them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowwarden.doctor.check import Check
from flowwarden.doctor.facts import Facts, SinkSecret
from flowwarden.doctor.line import Found, Problem, Verdict

_CREATE: Final = (
    "create it as docs/notifications.md#other-services says, and try it with flowwarden test-page"
)

MISSING: Final = Problem(
    name="sink-secret-missing",
    verdict=Verdict.FAILED,
    text="the secret of the service does not exist, so it gets no notification",
    fix=_CREATE,
)
DELETED: Final = Problem(
    name="sink-secret-deleted",
    verdict=Verdict.FAILED,
    text="the deletion of the secret {secret} is scheduled, so the service gets no notification",
    fix="aws secretsmanager restore-secret --secret-id {secret} --region {region}",
)


def _judge(_name: str, secret: SinkSecret, _facts: Facts) -> Iterator[Found]:
    if secret.deleting:
        yield DELETED.of(secret=secret.name)


CHECK: Final = Check(
    name="sinks",
    verifies="the secret of each configured service outside AWS exists",
    sound="the secret exists",
    subjects=lambda facts: facts.sinks,
    judge=_judge,
    missing=MISSING,
    problems=(MISSING, DELETED),
)
