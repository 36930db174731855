"""Whether the KMS keys of the topics and of the log groups can be used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowwarden.doctor.check import Check
from flowwarden.doctor.facts import Facts
from flowwarden.doctor.fixes import RESTORE
from flowwarden.doctor.line import Found, Problem, Verdict

MISSING: Final = Problem(
    name="key-missing",
    verdict=Verdict.FAILED,
    text="the KMS key does not exist",
    fix=f"for the key of the topics: {RESTORE}; for that of the log groups: deploy with another LogKmsKeyArn",
)
UNUSABLE: Final = Problem(
    name="key-unusable",
    verdict=Verdict.FAILED,
    text="the KMS key is in the state {state}, so nothing can be encrypted with it",
    fix="aws kms cancel-key-deletion --key-id {key} --region {region} if its deletion is scheduled; then "
    "aws kms enable-key --key-id {key} --region {region}",
)


def _judge(name: str, state: str, facts: Facts) -> Iterator[Found]:
    if state != "Enabled":
        key = facts.resources.get("NotificationKey", "") if name == "topics" else ""
        yield UNUSABLE.of(state=state or "unknown", key=key or facts.stack.parameters.get("LogKmsKeyArn", ""))


CHECK: Final = Check(
    name="keys",
    verifies="the KMS key of the topics, and that of the log groups if you set one, is enabled",
    sound="the key is enabled",
    subjects=lambda facts: facts.keys,
    judge=_judge,
    missing=MISSING,
    problems=(MISSING, UNUSABLE),
)
