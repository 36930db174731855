"""Whether a CloudTrail trail reports changes of VPCs and flow logs to EventBridge at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowwarden.doctor.check import Check
from flowwarden.doctor.fact import Unread, known
from flowwarden.doctor.facts import Facts, Trail
from flowwarden.doctor.line import Found, Problem, Verdict

_UNTIL: Final = "so the enforcer notices a new VPC or a deleted flow log only in its next sweep"

NO_TRAIL: Final = Problem(
    name="trail-missing",
    verdict=Verdict.WARNING,
    text=f"no CloudTrail trail covers the Region, {_UNTIL}",
    fix="aws cloudtrail create-trail --name TRAIL --s3-bucket-name BUCKET --is-multi-region-trail, then "
    "aws cloudtrail start-logging --name TRAIL",
)
STOPPED: Final = Problem(
    name="trail-stopped",
    verdict=Verdict.WARNING,
    text=f"no CloudTrail trail of the Region is logging, {_UNTIL}: {{names}}",
    fix="aws cloudtrail start-logging --name {name} --region {region}",
)
NO_EVENTS: Final = Problem(
    name="trail-without-management-events",
    verdict=Verdict.WARNING,
    text=f"no CloudTrail trail of the Region records write management events, {_UNTIL}: {{names}}",
    fix="aws cloudtrail put-event-selectors --trail-name {name} --region {region} --event-selectors "
    '\'[{{"ReadWriteType":"WriteOnly","IncludeManagementEvents":true}}]\'',
)


def _judge(_name: str, trails: tuple[Trail, ...], _facts: Facts) -> Iterator[Found | Unread]:
    logging = [each for each in trails if known(each.logging, otherwise=True)]
    useful = [each for each in logging if known(each.management, otherwise=True)]
    if not trails:
        yield NO_TRAIL.of()
    elif not logging:
        yield STOPPED.of(names=", ".join(each.name for each in trails), name=trails[0].name)
    elif not useful:
        yield NO_EVENTS.of(names=", ".join(each.name for each in logging), name=logging[0].name)
    elif not any(each.logging is True and each.management is True for each in useful):
        yield from (
            part for each in useful for part in (each.logging, each.management) if isinstance(part, Unread)
        )


CHECK: Final = Check(
    name="trail",
    verifies="a CloudTrail trail covers the Region, is logging, and records write management events",
    sound="a trail records management events",
    subjects=lambda facts: {facts.place.region: facts.trails},
    judge=_judge,
    missing=NO_TRAIL,
    problems=(NO_TRAIL, STOPPED, NO_EVENTS),
)
