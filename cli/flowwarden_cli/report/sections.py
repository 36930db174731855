"""The sections of the report, in the order of the page. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from flowwarden.notify.alert import Route
from flowwarden.notify.text import plural
from flowwarden.printable import as_json
from flowwarden.replay.observed import Coverage, LearnedRole, Observed, ScanPicture
from flowwarden.replay.result import ReplayResult
from flowwarden_cli.report import coverage, scans, timeline, traffic
from flowwarden_cli.report.chart import Chart, moment
from flowwarden_cli.report.html import Markup, element, table
from flowwarden_cli.report.incidents import others, paged

ROLES: Final = 60
"""Learned roles that are listed."""
REPORT_ONLY: Final = 100
"""Detectors and subjects that are listed, of report-only detectors."""


class Section(Struct, frozen=True, kw_only=True):
    """A section of the page."""

    name: str
    """Its id."""
    title: str
    content: list[Markup]
    charts: list[Chart]


def sections(result: ReplayResult) -> list[Section]:
    """All sections that have content."""
    seen = result.observed
    made = [
        _section("timeline", "Timeline", timeline.charts(result)),
        _incidents(result),
        _section("days", "Days and detectors", filter(None, [timeline.days(result)])),
    ]
    if seen is not None:
        made += [*_observed(seen)]
    made += [_report_only(result), _noisiest(result), _not_judged(result)]
    return [each for each in made if each.content]


def _section(
    name: str,
    title: str,
    charts: Iterable[Chart],
    intro: str = "",
    *,
    side_by_side: bool = False,
) -> Section:
    several = [*charts]
    figures = [each.figure() for each in several]
    if side_by_side and figures:
        figures = [element("div", *figures, class_="grid")]
    return Section(
        name=name,
        title=title,
        content=[element("p", intro), *figures] if intro and figures else figures,
        charts=several,
    )


def _observed(seen: Observed) -> Iterator[Section]:
    yield _section(
        "conversations", "Who talks to whom", traffic.conversations(seen),
        "Each record counts at the interface that logged it. “from” are connections that the peers opened, "
        "“to” those that the role opened.",
        side_by_side=True,
    )  # fmt: skip
    rankings = (seen.rejected_ports, seen.rejected_sources, seen.rejected_targets)
    missed = max(each.missed for each in rankings)
    yield _section(
        "rejected", "Rejected traffic", traffic.rejected(seen),
        f"Counts can be up to {missed:,} too low, because there are very many addresses." if missed else "",
        side_by_side=True,
    )  # fmt: skip
    yield _scans(seen.scans)
    yield _roles(seen.roles)
    yield _coverage(seen.coverage)


def _incidents(result: ReplayResult) -> Section:
    pages = [each for each in result.incidents if each.route == Route.PAGES]
    rest = [each for each in result.incidents if each.route != Route.PAGES]
    content = [*paged(pages), *others(rest)]
    none = element("p", "No incident: nothing would have been sent about this traffic.")
    return Section(name="incidents", title="Incidents", content=content or [none], charts=[])


def _scans(pictures: Sequence[ScanPicture]) -> Section:
    drawn: list[Chart] = []
    content: list[Markup] = []
    for place, each in enumerate(pictures[: scans.DRAWN]):
        several = [*scans.charts(place, each)]
        drawn += several
        facts = (
            f"{plural(each.records, 'record')} in the batches with a finding of {', '.join(each.detectors)}; "
            f"{plural(each.targets, 'host')} and {plural(each.ports, 'port')} are drawn."
        )
        content += [
            element("h3", each.subject), element("p", facts),
            element("div", *(one.figure() for one in several), class_="grid"),
        ]  # fmt: skip
    if len(pictures) > scans.DRAWN:
        rows = [
            (each.subject, ", ".join(each.detectors), each.records, each.targets, each.ports)
            for each in pictures[scans.DRAWN :]
        ]
        header = ("host", "detectors", "records", "targets", "ports")
        content.append(table("Further hosts that tried many others", header, rows))
    return Section(name="scans", title="Scans", content=content, charts=drawn)


def _roles(roles: Sequence[LearnedRole]) -> Section:
    content = [_role(each) for each in roles[:ROLES]]
    if len(roles) > ROLES:
        content.append(
            element("p", f"And {plural(len(roles) - ROLES, 'more role')}; --format json lists all.")
        )
    return Section(name="baselines", title="Baselines learned", content=content, charts=[])


def _role(one: LearnedRole) -> Markup:
    state = "still being learned" if one.learning else "learned"
    heading = element(
        "summary", element("code", one.role), f": {state}; {plural(one.days, 'day')} since {one.first}, ",
        plural(len(one.rows) + one.left_out, "service"), " listed",
    )  # fmt: skip
    rows = [element("li", each) for each in one.rows]
    if one.left_out:
        rows.append(element("li", f"and {one.left_out:,} more"))
    listed = element("ul", rows) if rows else element("p", "Nothing to list.")
    return element("details", heading, listed)


def _coverage(seen: Coverage) -> Section:
    intro = (
        "A flow log writes NODATA for an interface without traffic. So a time of at least half an hour "
        "without any record is a time about which nothing is known. "
    )
    intro += (
        f"{plural(seen.with_gaps, 'interface')} with gaps." if seen.with_gaps else "No interface has a gap."
    )
    if seen.left_out:
        intro += f" {plural(seen.left_out, 'further interface')} were not observed."
    return _section("coverage", "Coverage", coverage.charts(seen), intro)


def _report_only(result: ReplayResult) -> Section:
    rows = [
        (each.detector, each.subject, moment(each.first), moment(each.last), each.findings, each.summary)
        for each in result.report_only[:REPORT_ONLY]
    ]
    header = ("detector", "subject", "first", "last", "batches", "first finding")
    content = [table("Found without a notification", header, rows)] if rows else []
    if (left_out := len(result.report_only) - REPORT_ONLY) > 0:
        content.append(element("p", f"And {plural(left_out, 'more subject')}; --format json lists all."))
    return Section(name="report-only", title="Report-only detectors", content=content, charts=[])


def _noisiest(result: ReplayResult) -> Section:
    rows = [
        (
            each.detector, each.subject, each.pages, each.findings,
            "; ".join(
                [
                    *(f"mutes: {as_json(mute)}" for mute in each.mutes),
                    *([f"thresholds: {as_json(each.thresholds)}"] if each.thresholds else []),
                ]
            ),
        )
        for each in result.noisiest
    ]  # fmt: skip
    header = ("detector", "subject", "pages", "batches", "in the policy, this would have prevented them")
    content = [table("Noisiest subjects", header, rows)] if rows else []
    return Section(name="noisiest", title="Noisiest subjects", content=content, charts=[])


def _not_judged(result: ReplayResult) -> Section:
    rows = [(each.what, each.count, each.why) for each in result.not_judged]
    whole = (
        table("Not judged", ("what", "count", "why"), rows)
        if rows
        else element("p", "Everything was judged.")
    )
    return Section(name="not-judged", title="Not judged", content=[whole], charts=[])


def facts(result: ReplayResult) -> Markup:
    """The figures at the top of the page."""
    records = result.records
    counts: dict[str, int] = {
        "pages": result.pages,
        "incidents": len(result.incidents),
        "accepted records": records.accepted,
        "rejected records": records.rejected,
        "gap records": records.gaps,
        "malformed lines": records.malformed,
        "interfaces": result.interfaces,
    }
    return element(
        "dl", *(element("div", element("dt", name), element("dd", count)) for name, count in counts.items())
    )


def period(result: ReplayResult) -> str:
    """The time of the records."""
    if result.begin is None or result.end is None:
        return "No record has a time."
    return f"Records from {moment(result.begin)} to {moment(result.end)} UTC"
