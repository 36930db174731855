"""Results of replays for tests of the report: a small one, and one as large as the collectors allow."""

from __future__ import annotations

from functools import cache

from msgspec.structs import replace

from flowwarden.replay import conversations, coverage, learned_roles, rejected, scan_points
from flowwarden.replay.observed import (
    Conversation,
    Coverage,
    CoveredTime,
    InterfaceCoverage,
    Interval,
    LearnedRole,
    Observed,
    Point,
    Ranked,
    Ranking,
    ScanPicture,
)
from flowwarden.replay.result import Bucket, IncidentHistory, NotJudged, Records, ReplayResult
from tests.replay.archives import incidents, replayed

BEGIN = 1_800_000_000
DAY, TEN_MINUTES = 86_400, 600


@cache
def small() -> ReplayResult:
    """The replay of ordinary traffic with a scan and a host that probes, with each part of a report."""
    result = replayed(incidents(), observes=True)
    assert result.observed is not None
    assert result.incidents
    observed = replace(result.observed, roles=_roles(2, 3), coverage=_coverage(12, 2, 3))
    return replace(result, observed=observed, not_judged=[NotJudged(what="lines", count=3, why="unknown")])


@cache
def largest() -> ReplayResult:
    """A week of a million records, with as much of everything as a result can have, and more incidents."""
    first = small().incidents[0]
    return replace(
        small(),
        begin=BEGIN,
        end=BEGIN + 7 * DAY,
        records=Records(accepted=700_000, rejected=300_000),
        incidents=[_incident(first, number) for number in range(2_000)],
        traffic=[
            Bucket(begin=at, accepted=at % 997, rejected=at % 97)
            for at in range(BEGIN, BEGIN + 7 * DAY, TEN_MINUTES)
        ],
        observed=Observed(
            conversations=_conversations(),
            rejected_ports=_ranking("tcp/"),
            rejected_sources=_ranking("198.51.100."),
            rejected_targets=_ranking("10.0.0."),
            scans=[_scan(number) for number in range(scan_points.MOST_SUBJECTS)],
            roles=_roles(learned_roles.MOST_ROLES, learned_roles.ROWS),
            coverage=_coverage(coverage.MOST_TIMES, coverage.WORST, coverage.INTERVALS),
        ),
    )


def _incident(one: IncidentHistory, number: int) -> IncidentHistory:
    at = BEGIN + number * 300
    timeline = [replace(each, at=at + place) for place, each in enumerate(one.timeline * 30)]
    return replace(one, incident=f"{number:032x}", text=one.text * 3, timeline=timeline)


def _conversations() -> list[Conversation]:
    peers = ("own", "partner", "aws-service", "internet", "local")
    return [
        Conversation(
            role=f"tag:Role=service-with-a-long-name-{number // 10:04}", direction=("in", "out")[number % 2],
            peer=peers[number % 5], accepted=10**6 - number, rejected=number, bytes=10**9,
            services=["HTTPS (tcp/443)"] * conversations.SERVICES,
        )
        for number in range(conversations.SHOWN)
    ]  # fmt: skip


def _ranking(name: str) -> Ranking:
    rows = [Ranked(name=f"{name}{number}", records=10**5 - number) for number in range(rejected.SHOWN)]
    return Ranking(rows=rows, missed=7)


def _scan(number: int) -> ScanPicture:
    points = [
        Point(
            at=BEGIN + 40 * each, target=f"10.0.{each % 7}.{each % 251}", port=each * 7 % 65_536,
            outcome=("accepted", "rejected")[each % 2],
        )
        for each in range(scan_points.MOST_POINTS)
    ]  # fmt: skip
    return ScanPicture(
        subject=f"10.9.0.{number}", detectors=["scan"], targets=251, ports=1500, records=10**4, points=points
    )


def _roles(count: int, rows: int) -> list[LearnedRole]:
    return [
        LearnedRole(
            role=f"tag:Role=service-{number}", first="2027-01-15", days=18, learning=number % 2 == 0,
            rows=[f"Goes out: tcp/{port}, to the internet: 9 days since 2027-01-15" for port in range(rows)],
        )
        for number in range(count)
    ]  # fmt: skip


def _coverage(times: int, worst: int, intervals: int) -> Coverage:
    gaps = [
        Interval(begin=BEGIN + 3600 * number, end=BEGIN + 3600 * number + 1800) for number in range(intervals)
    ]
    return Coverage(
        seconds=3600,
        times=[
            CoveredTime(begin=BEGIN + 3600 * at, records=900, no_data=80, skipped=at % 3, missing=at % 5)
            for at in range(times)
        ],
        with_gaps=worst,
        worst=[
            InterfaceCoverage(
                interface=f"eni-{number:017x}",
                first=BEGIN,
                last=BEGIN + 7 * DAY,
                missing=gaps,
                skipped=gaps[:1],
            )
            for number in range(worst)
        ],
    )
