"""The hourly digest: findings that did not page, by detector, and how many others were not sent. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from flowwarden.dispatcher.digest_place import DOCUMENT_VERSION, DigestPlace
from flowwarden.notify.notification import Composed, Notification
from flowwarden.notify.text import plural
from flowwarden.state.digests import Group, Kept
from flowwarden.state.sets import HOUR

KIND: Final = "hourly-digest"
LISTED: Final = 20
"""Groups that the digest lists."""
DETECTORS: Final = 40
"""Detectors with totals: more than there are."""
_KEPT: Final = {
    Kept.SUPPRESSED: "repeats of incidents that were sent",
    Kept.MUTED: "muted by the policy",
    Kept.INHIBITED: "explained by a graver finding",
}
REPORT_ONLY: Final = ", report-only in the policy, so it did not notify"
_APPROXIMATE: Final = "All counts are lower bounds. Batches that arrive late are in the next digest."

type Groups = Mapping[Group, int]
"""Groups of findings, with the number of batches that contain them."""


def render(hour: int, groups: Groups, kept: Mapping[Kept, int], place: DigestPlace) -> Notification:
    """The digest of an hour (since 1970); at least one group."""
    begin = datetime.fromtimestamp(hour * HOUR, UTC)
    when = f"{begin:%Y-%m-%d %H:%M} UTC"
    ordered = sorted(groups.items(), key=lambda each: (not each[0].report_only, -each[1], each[0].text))
    count = len(ordered)
    return Notification(
        subject=f"[DIGEST] {when}: {plural(count, 'finding')} that did not page, {place.region}",
        text=Composed.of(
            [f"In the hour from {when}, {plural(count, 'finding')} did not page, but may be worth a look."],
            [f"Where        {place.account}, {place.region}"],
            *_sections(ordered, place),
            [f"and {count - LISTED:,} more, in the monitor's log" if count > LISTED else ""],
            ["Totals", *_totals(ordered)],
            ["Findings that were not sent in this hour", *_not_sent(kept)],
            [_APPROXIMATE],
        ),
        document=_document(hour, ordered, kept, place),
        attributes={"kind": KIND, "severity": "info"} | place.attributes,
    )  # fmt: skip


def _sections(ordered: list[tuple[Group, int]], place: DigestPlace) -> Iterable[list[str]]:
    """A paragraph for each detector, with its groups; those that are report-only come first."""
    by_detector = defaultdict[tuple[str, str], list[str]](list)
    for group, batches in ordered[:LISTED]:
        why = REPORT_ONLY if group.report_only else ""
        by_detector[group.detector, why].append(f"  - {named(group)}: {_batches(batches)}")
    for (detector, why), lines in by_detector.items():
        yield [f"{detector}{why} ({place.runbook(detector)})", *lines]


def named(group: Group) -> str:
    """The subject, the service and the other ends of a group."""
    parts = [group.subject or "further findings, only counted", group.service]
    parts += [f"other end: {group.peer}" if group.peer else "", group.vpc]
    return ", ".join(part for part in parts if part)


def _by_detector(ordered: list[tuple[Group, int]]) -> dict[str, tuple[int, int]]:
    """The groups and the batches of each detector."""
    found: dict[str, tuple[int, int]] = {}
    for group, batches in ordered:
        groups, sum_ = found.get(group.detector, (0, 0))
        found[group.detector] = groups + 1, sum_ + batches
    return found


def _totals(ordered: list[tuple[Group, int]]) -> Iterable[str]:
    for detector, (groups, batches) in [*_by_detector(ordered).items()][:DETECTORS]:
        yield f"  {detector}: {plural(groups, 'finding')}, in {_batches(batches)}"


def _not_sent(kept: Mapping[Kept, int]) -> Iterable[str]:
    return (f"  {kept[each]:,} {why}" for each, why in _KEPT.items())


def _batches(count: int) -> str:
    return "1 batch" if count == 1 else f"{count:,} batches"


def _document(
    hour: int, ordered: list[tuple[Group, int]], kept: Mapping[Kept, int], place: DigestPlace
) -> dict[str, Any]:
    return {
        "version": DOCUMENT_VERSION,
        "kind": KIND,
        "begin": hour * HOUR,
        "end": (hour + 1) * HOUR,
        **place.attributes,
        "groups": [
            {
                "detector": group.detector,
                "subject": group.subject or None,
                "service": group.service or None,
                "peer": group.peer or None, "vpc": group.vpc or None, "batches_at_least": batches,
                "report_only": group.report_only,
                "runbook": place.runbook(group.detector),
            }
            for group, batches in ordered[:LISTED]
        ],
        "groups_left_out": max(0, len(ordered) - LISTED),
        "detectors": {
            name: {"findings": groups, "batches_at_least": batches}
            for name, (groups, batches) in [*_by_detector(ordered).items()][:DETECTORS]
        },
        "not_sent": {each.name.lower(): kept[each] for each in Kept},
    }  # fmt: skip
