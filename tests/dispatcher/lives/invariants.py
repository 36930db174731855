"""What holds of `simulated_stack.SimulatedStack` after it has lived, whatever mishaps it had."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from flowwarden.state.sets import DAY, HOUR
from tests.dispatcher.lives.scenario import DIGEST_BATCHES, LAST_SEEN, LIMITS, SENT, WAIT
from tests.dispatcher.lives.simulated_stack import SimulatedStack

NOTIFIED, COPIES, BUDGET, RESOLVED, DIGESTS = "notified", "copies", "budget", "resolved", "digests"
INVARIANTS = NOTIFIED, COPIES, BUDGET, RESOLVED, DIGESTS
LATER = 10**7


def is_sink(call: str) -> bool:
    """Whether a call is one of a sink; all others are calls of the state table."""
    return "Receiver" in call


def violations(stack: SimulatedStack) -> dict[str, list[str]]:
    """What is wrong, by invariant."""
    return {
        NOTIFIED: [*_notified(stack)],
        COPIES: [*_copies(stack)],
        BUDGET: [*_budget(stack)],
        RESOLVED: [*_resolved(stack)],
        DIGESTS: [*_digests(stack)],
    }


def _notified(stack: SimulatedStack) -> Iterator[str]:
    """Each sink got each incident, singly or in a roll-up that lists it."""
    for sink in stack.pagers:
        notified = {
            key for each in stack.sent if each.sink == sink for key in each.keys if _notifies(each.event)
        }
        yield from (f"{sink}: {key} not notified" for key in LAST_SEEN if key not in notified)


def _notifies(event: str) -> bool:
    return event in {"page", "roll-up"}


def _copies(stack: SimulatedStack) -> Iterator[str]:
    """At most one more notification than without mishaps, for each of them."""
    mishaps = len(stack.mishaps.hit)
    roll_ups = Counter((each.sink, each.what) for each in stack.sent if each.event == "roll-up")
    for (sink, what), count in roll_ups.items():
        if count > 1 + mishaps:
            yield f"{sink}: {what} {count} times"
    notified = Counter((each.sink, key) for each in stack.sent if _notifies(each.event) for key in each.keys)
    for (sink, key), count in notified.items():
        if count > SENT[key] + mishaps:
            yield f"{sink}: {key} notified {count} times"


def _unanswered(stack: SimulatedStack) -> int:
    """How many calls of the table were not answered."""
    return sum(not fault.crashes and not is_sink(call) for call, fault in stack.mishaps.hit)


def _budget(stack: SimulatedStack) -> Iterator[str]:
    """No hour and no day has more different single pages than its limit.

    If the table does not answer, pages are sent without being counted: a page too many is better than a
    missing one.
    """
    if _unanswered(stack):
        return
    hours, days = (
        defaultdict[tuple[str, int, bool], set[str]](set),
        defaultdict[tuple[str, int], set[str]](set),
    )
    for each in stack.sent:
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


def _resolved(stack: SimulatedStack) -> Iterator[str]:
    """Each incident was reported as resolved once, once more per mishap, and never before its time.

    After a mishap, a page can be sent after the end, because its batch is processed again so late. Then
    another end follows. If the table did not answer when a page was sent, the page is not stored, and has no
    end.
    """
    least = 1 if _unanswered(stack) <= 1 else 0
    ended = max if stack.mishaps.hit else min
    for sink in stack.pagers:
        mine = [each for each in stack.sent if each.sink == sink]
        for key, seen in LAST_SEEN.items():
            ends = [each.at for each in mine if each.event == "resolved" and key in each.keys]
            pages = [each.at for each in mine if _notifies(each.event) and key in each.keys]
            if not least <= len(ends) <= 1 + len(stack.mishaps.hit):
                yield f"{sink}: {key} resolved {len(ends)} times"
            if ends and min(ends) < seen + WAIT:
                yield f"{sink}: {key} resolved {seen + WAIT - min(ends)} s too early"
            if least and ends and pages and ended(ends) < max(pages):
                yield f"{sink}: {key} notified after its end"
    if left := stack.ports.incidents.due(LATER + stack.now, 100):
        yield f"still open: {[each.key.incident for each in left]}"


def _digests(stack: SimulatedStack) -> Iterator[str]:
    """One digest of the hour, once more per mishap; a batch that came twice counts once."""
    sent = [each for each in stack.sent if each.sink == "operations"]
    if not 1 <= len(sent) <= 1 + len(stack.mishaps.hit):
        yield f"{len(sent)} digests"
    for each in sent:
        if each.what != sent[0].what or not each.what.endswith(f", {DIGEST_BATCHES} batches"):
            yield f"another digest: {each.what}"
