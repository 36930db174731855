"""The notification that several incidents are resolved: who gets it, and what it lists."""

from __future__ import annotations

from typing import Any

import pytest

from flowwarden.dispatcher.dispatch import Dispatcher
from flowwarden.dispatcher.ends import SINGLY, TOGETHER
from flowwarden.dispatcher.ports import OpenIncident
from flowwarden.dispatcher.resolved import render, render_several
from flowwarden.monitor.findings import Severity
from flowwarden.notify.alert import Route
from flowwarden.notify.claims import ClaimKey, ClaimTerms
from flowwarden.notify.evidence import SEVERITIES
from flowwarden.notify.incident import Incident
from tests.dispatcher.memory import MemoryIncidents
from tests.monitor.fakes_state import MemoryEvidence
from tests.notify.fakes import MemoryClaims, MemorySink

NOW = 1_764_000_000


def over(key: str, severity: str = "medium", **given: Any) -> OpenIncident:
    """A resolved incident."""
    usual = {"kind": "incident", "account": "1", "region": "eu-west-1", "detector": "scan"}
    attributes = usual | {"severity": severity} | given.pop("attributes", {})
    return OpenIncident(
        key=ClaimKey("sns:pages", key),
        version=(),
        incident=Incident(
            title=f"{key} scans.",
            severity=severity,
            detectors=(attributes["detector"],),
            subject=key,
            log_group="/flow-logs",
            last_seen=NOW,
            resolve_after=1800,
            attributes=attributes,
            **given,
        ),
        sent_at=NOW,
        suppressed_batches=3,
        resolved_at=NOW + 3600,
    )


def test_the_severities_are_those_of_findings() -> None:
    """In their order."""
    assert [*SEVERITIES] == [each.value for each in Severity]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_it_has_the_severity_of_the_gravest(order: tuple[int, ...]) -> None:
    """A filter on high and critical passes the page, so it must pass its end."""
    several = [over("a"), over("b", "critical"), over("c", "high")]
    sent = render_several([several[at] for at in order], 0)
    assert sent.attributes["severity"] == sent.document["severity"] == "critical"
    assert sent.attributes["event"] == sent.document["event"] == "resolved"
    assert render_several([over("a"), over("b")], 0).attributes["severity"] == "medium"


def test_it_has_the_other_attributes_that_all_have() -> None:
    """What differs is left out, since it would be wrong for some of them."""
    alike = render_several([over("a"), over("b")], 0).attributes
    assert alike == over("a").incident.attributes | {"event": "resolved"}
    mixed = render_several([over("a"), over("b", attributes={"detector": "x", "kind": "y"})], 0).attributes
    assert "detector" not in mixed
    assert mixed["kind"] == "resolved"
    assert (mixed["account"], mixed["region"]) == ("1", "eu-west-1")


def test_it_says_of_each_incident_what_was_suppressed_and_held() -> None:
    """As the notification about one does."""
    sent = render_several([over("a"), over("b", held=True)], 0)
    assert sent.text.count("3 repeats suppressed since") == 2
    assert sent.text.count("Its page was held, because the budget for pages was spent") == 1
    assert [each["held"] for each in sent.document["incidents"]] == [False, True]
    assert [render(over("a", held=each)).document["held"] for each in (True, False)] == [True, False]


def test_it_says_how_many_follow() -> None:
    """In the text and the document; not if it lists all."""
    sent = render_several([over("a")], 15)
    assert "15 more are resolved: the next notification lists them." in sent.text
    assert sent.document["more"] == 15
    assert "more are resolved" not in render_several([over("a")], 0).text


def test_each_of_many_is_listed_once() -> None:
    """At most `TOGETHER` in one notification, the rest by the next run."""
    claims, sink = MemoryClaims(ClaimTerms(suppression=14_400, lease=50)), MemorySink(name="sns:pages")
    ended = [over(f"i{number:02}") for number in range(TOGETHER + SINGLY + 5)]
    incidents = _Due(claims, ended)
    dispatcher = Dispatcher(incidents, claims, MemoryEvidence(), {Route.PAGES: (sink,)})
    for minute in range(3):
        dispatcher.run(f"run-{minute}", NOW + 3600 + 60 * minute, lambda: 60.0)
    assert [each.document["more"] for each in sink.sent] == [SINGLY + 5, 0]
    listed = [each["incident"] for sent in sink.sent for each in sent.document["incidents"]]
    assert listed == [each.key.incident for each in ended]


class _Due(MemoryIncidents):
    """Resolved incidents, due until they are closed."""

    def __init__(self, claims: MemoryClaims, ended: list[OpenIncident]) -> None:
        super().__init__(claims)
        self._ended = list(ended)

    def due(self, _now: int, _most: int) -> list[OpenIncident]:
        """Those that are left."""
        return list(self._ended)

    def close(self, incident: OpenIncident) -> bool:
        """Remove it."""
        self._ended.remove(incident)
        return True
