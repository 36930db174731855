"""Whether the alarms exist, notify, and are not raised."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowwarden.doctor.check import Check
from flowwarden.doctor.facts import Alarm, Facts
from flowwarden.doctor.fixes import RESTORE
from flowwarden.doctor.line import Found, Problem, Verdict

MISSING: Final = Problem(
    name="alarm-missing", verdict=Verdict.FAILED, text="the alarm does not exist", fix=RESTORE
)
RAISED: Final = Problem(
    name="alarm-raised",
    verdict=Verdict.FAILED,
    text="the alarm is raised: {reason}",
    fix="follow docs/runbooks/alarms/{runbook}.md",
)
MUTED: Final = Problem(
    name="alarm-without-action",
    verdict=Verdict.WARNING,
    text="the alarm notifies no topic, because its actions are disabled or removed",
    fix=f"aws cloudwatch enable-alarm-actions --alarm-names {{subject}} --region {{region}}; if that does "
    f"not help, {RESTORE}",
)


def _judge(name: str, alarm: Alarm, _facts: Facts) -> Iterator[Found]:
    if alarm.state == "ALARM":
        yield RAISED.of(reason=alarm.reason or "see its history", runbook=name.rpartition("/")[2])
    if not alarm.notifies:
        yield MUTED.of()


CHECK: Final = Check(
    name="alarms",
    verifies="each alarm of the stack exists, is not raised, and notifies operations",
    sound="not raised, and notifying operations",
    subjects=lambda facts: facts.alarms,
    judge=_judge,
    missing=MISSING,
    problems=(MISSING, RAISED, MUTED),
)
