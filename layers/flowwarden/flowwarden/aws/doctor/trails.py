"""The trails that cover the Region, as CloudTrail describes them."""

from __future__ import annotations

from typing import Any, Final

from flowwarden.aws.answers import Answer, Malformed
from flowwarden.aws.doctor.reading import fact
from flowwarden.doctor.fact import Fact
from flowwarden.doctor.facts import Trail

CALLER_ACTIONS: Final = (
    "cloudtrail:DescribeTrails",
    "cloudtrail:GetTrailStatus",
    "cloudtrail:GetEventSelectors",
)
"""The IAM actions that the credentials of the caller need for this file."""
_WRITES: Final = frozenset({"All", "WriteOnly"})


class TrailReader:
    """Trails of the client's account and Region."""

    def __init__(self, client: Any) -> None:  # noqa: ANN401 - the environment has no stubs of CloudTrail
        self._client = client

    def trails(self) -> Fact[tuple[Trail, ...]]:
        """The trails of this Region, and those of all Regions or of the organization that cover it."""
        return fact("DescribeTrails", self._trails)

    def _trails(self) -> tuple[Trail, ...]:
        answer = Answer(self._client.describe_trails(includeShadowTrails=True))
        if not isinstance(answer.value("trailList"), list):
            raise Malformed("the response has no trailList")
        return tuple(map(self._trail, answer.each("trailList")))

    def _trail(self, found: Answer) -> Trail:
        arn = found.demand("TrailARN")
        return Trail(
            name=found.text("Name") or arn,
            logging=fact("GetTrailStatus", lambda: self._is_logging(arn)),
            management=fact("GetEventSelectors", lambda: self._has_management(arn)),
        )

    def _is_logging(self, arn: str) -> bool:
        return Answer(self._client.get_trail_status(Name=arn)).truth("IsLogging") is True

    def _has_management(self, arn: str) -> bool:
        """Whether write events of management are recorded, by selectors of either kind."""
        found = Answer(self._client.get_event_selectors(TrailName=arn))
        plain = any(
            each.truth("IncludeManagementEvents") and each.text("ReadWriteType") in _WRITES
            for each in found.each("EventSelectors")
        )
        return plain or any(map(_selects_management, found.each("AdvancedEventSelectors")))


def _selects_management(selector: Answer) -> bool:
    """Whether an advanced selector records write events of management, whatever its other fields exclude."""
    values = {each.text("Field"): each.texts("Equals") for each in selector.each("FieldSelectors")}
    return "Management" in values.get("eventCategory", []) and "true" not in values.get("readOnly", [])
