"""What holds of `world.World` after it has lived, whatever mishaps it had."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from flowwarden.state.sets import DAY, HOUR
from tests.dispatcher.lives.scenario import DIGEST_BATCHES, LAST_SEEN, LIMITS, SENT, WAIT
from tests.dispatcher.lives.world import World

NOTIFIED, COPIES, BUDGET, RESOLVED, DIGESTS = "notified", "copies", "budget", "resolved", "digests"
INVARIANTS = NOTIFIED, COPIES, BUDGET, RESOLVED, DIGESTS
SINKS = "chat", "mail"
LATER = 10**7


def is_sink(call: str) -> bool:
    """Whether a call is one of a sink; all others are calls of the state table."""
    return "Receiver" in call


def violations(world: World) -> dict[str, list[str]]:
    """What is wrong, by invariant."""
    return {
        NOTIFIED: [*_notified(world)],
        COPIES: [*_copies(world)],
        BUDGET: [*_budget(world)],
        RESOLVED: [*_resolved(world)],
        DIGESTS: [*_digests(world)],
    }


def _notified(world: World) -> Iterator[str]:
    """Each sink got each incident, singly or in a roll-up that lists it."""
    for sink in SINKS:
        told = {key for each in world.sent if each.sink == sink for key in each.keys if _tells(each.event)}
        yield from (f"{sink}: {key} not notified" for key in LAST_SEEN if key not in told)


def _tells(event: str) -> bool:
    return event in {"page", "roll-up"}


def _copies(world: World) -> Iterator[str]:
    """At most one more notification than without mishaps, for each of them."""
    mishaps = len(world.mishaps.hit)
    roll_ups = Counter((each.sink, each.what) for each in world.sent if each.event == "roll-up")
    for (sink, what), count in roll_ups.items():
        if count > 1 + mishaps:
            yield f"{sink}: {what} {count} times"
    told = Counter((each.sink, key) for each in world.sent if _tells(each.event) for key in each.keys)
    for (sink, key), count in told.items():
        if count > SENT[key] + mishaps:
            yield f"{sink}: {key} notified {count} times"


def _unanswered(world: World) -> int:
    """How many calls of the table were not answered."""
    return sum(not fault.crashes and not is_sink(call) for call, fault in world.mishaps.hit)


def _budget(world: World) -> Iterator[str]:
    """No hour and no day has more different single pages than its limit.

    If the table does not answer, pages are sent without being counted: a page too many is better than a
    missing one.
    """
    if _unanswered(world):
        return
    hours, days = (
        defaultdict[tuple[str, int, bool], set[str]](set),
        defaultdict[tuple[str, int], set[str]](set),
    )
    for each in world.sent:
        if each.event == "page":
            hours[each.sink, each.clock // HOUR, each.critical].update(each.keys)
            if not each.critical:
                days[each.sink, each.clock // DAY].update(each.keys)
    for (sink, _, critical), pages in hours.items():
        if len(pages) > (LIMITS.critical_hour if critical else LIMITS.hour):
            yield f"{sink}: {sorted(pages)} in an hour"
    yield from (
        f"{sink}: {sorted(pages)} in a day" for (sink, _), pages in days.items() if len(pages) > LIMITS.day
    )


def _resolved(world: World) -> Iterator[str]:
    """Each incident was reported as resolved once, once more per mishap, and never before its time.

    An incident is not stored if the table did not answer at any of its pages. Then it has no end.
    """
    least = 1 if _unanswered(world) <= 1 else 0
    for sink in SINKS:
        mine = [each for each in world.sent if each.sink == sink]
        for key, seen in LAST_SEEN.items():
            ends = [each.at for each in mine if each.event == "resolved" and key in each.keys]
            pages = [each.at for each in mine if _tells(each.event) and key in each.keys]
            if not least <= len(ends) <= 1 + len(world.mishaps.hit):
                yield f"{sink}: {key} resolved {len(ends)} times"
            if ends and min(ends) < seen + WAIT:
                yield f"{sink}: {key} resolved {seen + WAIT - min(ends)} s too early"
            if ends and pages and min(ends) < max(pages):
                yield f"{sink}: {key} notified after its end"
    if left := world.ports.incidents.due(LATER + world.now, 100):
        yield f"still open: {[each.key.incident for each in left]}"


def _digests(world: World) -> Iterator[str]:
    """One digest of the hour, once more per mishap; a batch that came twice counts once."""
    sent = [each for each in world.sent if each.sink == "operations"]
    if not 1 <= len(sent) <= 1 + len(world.mishaps.hit):
        yield f"{len(sent)} digests"
    for each in sent:
        if each.what != sent[0].what or not each.what.endswith(f", {DIGEST_BATCHES} batches"):
            yield f"another digest: {each.what}"
