"""The load run: batches with faults ("poison") and repeated deliveries must page as without them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from benchmarks.reliability.poison import FAULTS, Delivery, Poison, plan, without_poison
from benchmarks.reliability.run import Done, Outcome, Sent, copies, run
from benchmarks.reliability.traffic import REPEATED, batches, planted
from flowwarden.monitor.detectors import unparsed_lines
from flowwarden.state.write_budget import MOST_WRITES

COUNT: Final = 500
LINES: Final = 1_000
SEED: Final = 14
COPIES: Final = 2
"""Maximum copies of a notification: two if it is unknown whether it was sent, or its claim was not
answered."""
PAGES: Final = "pages"


class Load(Struct, frozen=True):
    """A load run, and the run of the same good lines without poison and repeated deliveries."""

    deliveries: tuple[Delivery, ...]
    clean: Outcome
    poisoned: Outcome

    def differences(self) -> list[str]:
        """The violated invariants, in words; empty if there are none."""
        return [
            *_of_lines(self.poisoned),
            *_of_lines(self.clean),
            *_of_pages(self),
            *_of_copies(self),
            *_of_writes(self.poisoned),
            *_of_text(self.poisoned),
            *_of_faults(self),
        ]

    def of(self, poison: Poison) -> list[Done]:
        """The results of the deliveries with this poison."""
        return [each for each in self.poisoned.done if each.delivery.poison is poison]

    @property
    def doubles(self) -> list[Done]:
        """The results of the payloads that were delivered twice, two for each."""
        return [each for each in self.poisoned.done if each.delivery.doubled_after is not None]

    @property
    def unsure(self) -> int:
        """The number of failed calls after which it is unknown whether a notification was sent or claimed."""
        return sum("Sink" in each.failed_call or "Claims" in each.failed_call for each in self.poisoned.done)


def load(count: int = COUNT, lines: int = LINES, seed: int = SEED) -> Load:
    """Run `count` batches of `lines` lines twice: as they are, and with poison and repeated deliveries."""
    deliveries = plan(batches(count, lines, seed), seed)
    clean = run([good for each in deliveries if (good := without_poison(each))])
    calls = {each.delivery.batch.number: each.calls for each in clean.done}
    return Load(tuple(deliveries), clean, run(deliveries, calls))


def _of_lines(outcome: Outcome) -> Iterator[str]:
    """Each line is counted once; a payload that cannot be read is rejected as a whole, in every attempt."""
    yield from outcome.undelivered
    for each in outcome.done:
        number, unreadable = each.delivery.batch.number, each.delivery.poison is Poison.PAYLOAD
        if (each.counts is None) != unreadable:
            result = "processed" if unreadable else "rejected"
            yield f"batch {number}: {result} after {each.attempts} attempts"
        if each.lines != each.accounted:
            yield f"batch {number}: {each.accounted} of {each.lines} lines are counted"


def _of_pages(whole: Load) -> Iterator[str]:
    """Both runs page the same incidents, all planted ones among them; unparsed lines are reported."""
    wanted, found = _incidents(whole.clean), _incidents(whole.poisoned)
    yield from (f"lost: {each}" for each in sorted(wanted - found))
    yield from (f"not in the run without poison: {each}" for each in sorted(found - wanted))
    for name, outcome in (("without", whole.clean), ("with", whole.poisoned)):
        paged = {host for each in outcome.sent if each.topic == PAGES for host in each.hosts}
        for delivery in whole.deliveries:
            missed = set(planted(delivery.batch.number)) - paged
            if missed and _is_delivered(whole, delivery):
                yield f"planted and not paged {name} poison: {', '.join(missed)}"
    expected = int(bool(whole.of(Poison.UNPARSED)))
    reports = {each.incident for each in whole.poisoned.sent if _is_unparsed(each)}
    if len(reports) != expected or any(map(_is_unparsed, whole.clean.sent)):
        yield f"{len(reports)} incidents of unparsed lines, not {expected}"


def _is_delivered(whole: Load, delivery: Delivery) -> bool:
    """Whether at least one batch that contains the incident can be read."""
    repeats = [each for each in whole.deliveries if 0 <= each.batch.number - delivery.batch.number < REPEATED]
    return any(each.poison is not Poison.PAYLOAD for each in repeats)


def _incidents(outcome: Outcome) -> set[tuple[str, str, str]]:
    return {(each.topic, each.detector, each.incident) for each in outcome.sent if not _is_unparsed(each)}


def _is_unparsed(one: Sent) -> bool:
    return one.detector == unparsed_lines.DETECTOR.name


def _of_copies(whole: Load) -> Iterator[str]:
    """An incident is sent once in the run, which is shorter than a suppression window.

    It is sent twice only if, after a failed call, it is unknown whether it was sent.
    """
    yield from (f"{each} sent {sent} times" for each, sent in copies(whole.clean.sent).items() if sent > 1)
    found = copies(whole.poisoned.sent)
    yield from (f"{each} sent {sent} times" for each, sent in found.items() if sent > COPIES)
    more = sum(found.values()) - len(found)
    if more > whole.unsure:
        yield f"{more} notifications were sent twice, after only {whole.unsure} failed calls that permit it"


def _of_writes(outcome: Outcome) -> Iterator[str]:
    for each in outcome.done:
        if each.writes > MOST_WRITES:
            yield f"batch {each.delivery.batch.number}: {each.writes} writes"


def _of_text(outcome: Outcome) -> Iterator[str]:
    yield from (f"{each.incident}: text that is not visible" for each in outcome.sent if not each.visible)
    if not outcome.log_is_visible:
        yield "the log contains characters that are not visible"


def _of_faults(whole: Load) -> Iterator[str]:
    """Each kind of failing call failed at least once: otherwise the run would prove nothing about it."""
    for poison in FAULTS:
        planned = whole.of(poison)
        if planned and not any(each.failed_call for each in planned):
            yield f"{poison}: planned {len(planned)} times, and no call failed"


def figures(whole: Load) -> dict[str, int]:
    """The figures of the run, by name, for docs/reliability.md."""
    outcome = whole.poisoned
    kinds = Counter(each.poison for each in whole.deliveries if each.poison)
    counts = Counter[str]()
    for each in outcome.done:
        counts.update(each.counts or {})
    read = [each for each in outcome.done if each.delivery.poison is not Poison.PAYLOAD]
    return {
        "batches": len(whole.deliveries),
        "batches with poison": kinds.total(),
        "batches delivered twice": len(whole.doubles) // 2,
        "attempts": sum(each.attempts for each in outcome.done),
        "failed calls": sum(bool(each.failed_call) for each in outcome.done),
        "payloads rejected as a whole": len(outcome.done) - len(read),
        "lines in the other payloads": sum(each.lines for each in read),
        "lines counted": sum(each.accounted for each in read),
        "lines counted as flows": counts["Flows"],
        "lines counted as NODATA": counts["NoData"],
        "lines counted as SKIPDATA": counts["SkipData"],
        "lines counted as malformed": counts["Malformed"],
        "planted incidents": sum(len(planted(each.batch.number)) for each in whole.deliveries),
        "incidents paged without poison and repeats": len(_paged(whole.clean)),
        "incidents paged with poison and repeats": len(_paged(whole.poisoned)),
        "incidents paged in both runs": len(_paged(whole.clean) & _paged(whole.poisoned)),
        "notifications sent a second time": sum(copies(outcome.sent).values()) - len(copies(outcome.sent)),
        "failed calls that permit a second time": whole.unsure,
        "maximum writes of a batch": max(each.writes for each in outcome.done),
    }


def _paged(outcome: Outcome) -> set[str]:
    return {each.incident for each in outcome.sent if each.topic == PAGES}
