"""The life of incidents: notifications by event, and when labeled incidents were resolved."""

from __future__ import annotations

from msgspec.structs import replace

from benchmarks.evaluation.generator.model import Delivery, Incident
from benchmarks.evaluation.lives import lives
from benchmarks.evaluation.monitor import Monitor, ended
from benchmarks.evaluation.subject import OVERDUE_SECONDS, Page, Surroundings
from benchmarks.evaluation.tally import Tally, pages_per_incident
from flowwarden.notify.incident import Event
from flowwarden.notify.notification import Notification
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT

HOST, DAY = "10.0.1.1", 86_400
INCIDENT = Incident("exfiltration", HOST, "eni-1", ("203.0.113.9",), 1000, 50_000)
PAGE = Page(
    at=1100, arrived=1500, detector="egress-volume", subject=HOST, key="k", confidence=1.0,
    names=frozenset({HOST}), event="opened",
)  # fmt: skip
RESOLVED = replace(PAGE, arrived=72_000, paged=False, event="resolved")


def test_an_incident_that_is_resolved_after_its_end_has_a_delay() -> None:
    """And each notification counts by its event."""
    updated = replace(PAGE, arrived=40_000, event="updated")
    each = lives(Tally(pages=[PAGE, updated], resolved=[RESOLVED]), [INCIDENT])
    assert (each.delays, each.unresolved, each.early, each.overdue) == ((22_000,), 0, (), 0)
    assert each.events == {"opened": 1, "updated": 1, "resolved": 1}


def test_an_incident_that_is_resolved_before_its_end_is_resolved_too_early() -> None:
    """And still open, unless it is resolved again."""
    early = replace(RESOLVED, arrived=30_000)
    each = lives(Tally(pages=[PAGE], resolved=[early]), [INCIDENT])
    assert (each.delays, each.unresolved, each.early) == ((), 1, ("exfiltration",))
    assert each.early_share == 1
    again = lives(Tally(pages=[PAGE], resolved=[early, RESOLVED]), [INCIDENT])
    assert (again.delays, again.unresolved, again.early_share) == ((22_000,), 0, 1)


def test_other_notifications_do_not_count_for_it() -> None:
    """Those of another incident, and those before its first page."""
    others = [replace(RESOLVED, key="other", arrived=30_000), replace(RESOLVED, arrived=1400)]
    each = lives(Tally(pages=[PAGE], resolved=others), [INCIDENT])
    assert (each.unresolved, each.early) == (1, ())
    assert lives(Tally(resolved=[RESOLVED]), [INCIDENT]).unresolved == 0


def test_an_incident_with_several_keys_is_resolved_when_all_are() -> None:
    """The last one counts."""
    other = replace(PAGE, key="other")
    later = replace(RESOLVED, key="other", arrived=80_000)
    each = lives(Tally(pages=[PAGE, other], resolved=[RESOLVED, later]), [INCIDENT])
    assert each.delays == (30_000,)
    assert lives(Tally(pages=[PAGE, other], resolved=[RESOLVED]), [INCIDENT]).unresolved == 1


def test_a_page_after_the_end_counts_for_the_incident_with_its_key() -> None:
    """It is reopened hours later; a page with another key, or none, is about something else."""
    later = replace(PAGE, arrived=90_000, event="reopened")
    assert pages_per_incident(Tally(pages=[PAGE, later]), [INCIDENT]) == [2]
    for key in ("other", ""):
        pages = [PAGE, replace(later, key=key)]
        assert pages_per_incident(Tally(pages=pages), [INCIDENT]) == [1]


def notification(**document: object) -> Notification:
    """A notification with this document."""
    return Notification(subject="s", text="t\n", document=document, attributes={})


def test_a_notification_of_several_resolved_incidents_is_one_for_each() -> None:
    """A page is none."""
    one = {"incident": "k", "subject": HOST, "detectors": ["scan"], "last_seen": 7}
    for several in (
        notification(event="resolved", **one),
        notification(event="resolved", incidents=[one]),
    ):
        (page,) = ended(several, 60)
        assert (page.key, page.arrived, page.event, page.paged) == ("k", 60, Event.RESOLVED, False)
    assert ended(notification(event="opened", **one), 60) == []


def test_the_monitor_resolves_what_is_over() -> None:
    """Between two deliveries, in the minute in which it is due, and then nothing is overdue."""
    monitor = Monitor(Surroundings(DEFAULT_LOG_FORMAT, 0, dict))
    begin = 1_767_225_600
    assert [page.detector for page in monitor.process(delivery(1, begin, 60))] == ["host-probing"]
    assert monitor.overdue(begin + DAY) == [monitor.process(delivery(2, begin + 1200, 60))[0].key]
    quiet = [delivery(3 + hour, begin + 3600 * hour, 0) for hour in range(1, 12)]
    (resolved,) = (page for each in quiet for page in monitor.process(each))
    assert resolved.event == Event.RESOLVED
    assert monitor.overdue(begin + 12 * 3600 + OVERDUE_SECONDS) == []


def delivery(number: int, at: int, probed: int) -> Delivery:
    """A delivery with ordinary traffic, and a host that is rejected at so many ports of another."""
    times = f"{at} {at + 9}"
    lines = [
        f"2 111122223333 eni-1 10.0.1.9 10.0.1.8 443 40000 6 9 900 {times} ACCEPT OK",
        *(
            f"2 111122223333 eni-1 10.0.0.9 10.0.1.9 40000 {100 + port} 6 1 44 {times} REJECT OK"
            for port in range(probed)
        ),
    ]
    return Delivery(number, at + 300, "group", "eni-1-all", "111122223333", tuple(lines), "s" * len(lines))
