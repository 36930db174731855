"""The results as Markdown; the tables are also aligned on a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.evaluation import scenarios
from benchmarks.evaluation.figures import Rate, per_day_and_thousand, quantile
from benchmarks.evaluation.gates import NEEDS_FLAGS, gates
from benchmarks.evaluation.generator.model import DAY
from benchmarks.evaluation.results import MEDIAN, NEARLY_ALL, Results, causes
from benchmarks.evaluation.run import MONITOR, Outcome
from benchmarks.evaluation.tally import Found, precision, together
from benchmarks.tables import table
from benchmarks.targets import target_table
from flowwarden.notify.incident import Event

_ABOUT = (
    "Written by `make eval`; [evaluation/README.md](evaluation/README.md) describes the method. All traffic\n"
    "is synthetic: use the figures to rank detectors, not to predict rates."
)
_BENIGN = (
    (scenarios.BENIGN, "benign"),
    (scenarios.STRESS, f"{scenarios.STRESS_FACTOR:g} times as many faults"),
    (scenarios.BENIGN_V2, "benign, AWS' default log format"),
)
_MINUTE, _HOUR = 60, 3600
_JOINED = (
    "*Joined*: incidents without a page of their own, included in the share. Their finding was made, but\n"
    "belongs to an incident of the same cause that was paged within the suppression window. The log\n"
    "contains it."
)
_NO_FLAGS = (
    "This format does not show {}: without TCP flags, the\n"
    "initiator on an unlisted port is a guess, and guesses never page. These kinds have no gate here."
)
_LIVES = (
    "*Opened*, *updated*, *reopened*, *resolved*: notifications on scored days. *Until resolved*: from the\n"
    "last packet of a labeled incident. *Still open*: labeled incidents that were open when the network\n"
    "ended. *Too early*: labeled incidents that were resolved although they went on. *Too long*: incidents\n"
    "that were open two hours after their time, although records went on."
)
_REFUSED = (
    "Pages about roles whose own rules permanently reject what they try: {} pages about {} pairs of role\n"
    "and service on all days of all scenarios, at most {:g} per month about one pair. The pages on\n"
    "learning days include them; the false pages do not."
)


def markdown(results: Results) -> str:
    """The whole report."""
    blocks = [
        "# Detection",
        _ABOUT,
        f"Seed {results.seed}, a {results.size} run.",
        "## Gates",
        target_table("Gate", gates(results)),
        "## False pages per day and 1,000 interfaces",
        _rates(results),
        *_behind(results),
        *_while_learning(results),
        "## Incidents found",
        *_recall(results),
        "## The life of incidents",
        _lives(results),
        _LIVES,
        "## Accuracy of the initiator",
        _accuracy(results),
        "## Processing",
        _processed(results),
    ]
    return "\n\n".join(blocks) + "\n"


def _rates(results: Results) -> str:
    rows = []
    for scenario, title in _benign(results):
        outcome = results.outcomes[scenario]
        for name in results.judged:
            rate = outcome.tallies[name].rate(outcome.interfaces, outcome.days)
            days = f"{outcome.interfaces * outcome.days:,}"
            rows.append((f"{name}, {title}", *_interval(rate), days))
    return table(("Tool and traffic", "pages", "95 % interval", "interface-days"), rows)


def _interval(rate: Rate) -> tuple[str, str]:
    return f"{rate.value:.2f}", f"{rate.low:.2f} to {rate.high:.2f}"


def _scored(results: Results) -> list[tuple[str, Outcome]]:
    """The scenarios with scored days."""
    return [(name, outcome) for name, outcome in results.outcomes.items() if outcome.days]


def _benign(results: Results) -> list[tuple[str, str]]:
    return [each for each in _BENIGN if each[0] in results.outcomes]


def _behind(results: Results) -> Iterator[str]:
    """The detectors behind the false pages."""
    for scenario, title in _benign(results):
        outcome = results.outcomes[scenario]
        false = causes(outcome.tallies[MONITOR].paged)
        if false:
            yield f"{MONITOR}, {title}: {false}."
        reported = len(outcome.tallies[MONITOR].reported)
        if reported:
            rate = per_day_and_thousand(reported, outcome.interfaces, outcome.days * DAY)
            yield f"{MONITOR}, {title}: {rate.value:.2f} spikes are reported without a page."


def _recall(results: Results) -> Iterator[str]:
    for scenario, layout in (
        (scenarios.INCIDENTS, "the template's log format"),
        (scenarios.INCIDENTS_V2, "AWS' default log format"),
    ):
        by_name = {name: results.found(name, scenario) for name in results.judged}
        mine = by_name[MONITOR]
        rows = [_row(kind, {name: found[kind] for name, found in by_name.items()}) for kind in mine]
        rows.append(_row("all", {name: together(found) for name, found in by_name.items()}))
        yield f"In {layout}; times are those of {MONITOR} until the page, including the delivery."
        yield table(("Incident", "number", *results.judged, "joined", "half within", "95 % within"), rows)
        yield _JOINED
        if scenario == scenarios.INCIDENTS_V2:
            yield _NO_FLAGS.format(" and ".join(sorted(NEEDS_FLAGS)))
        yield _precision(results, scenario)
        yield _per_incident(results, scenario)


def _row(kind: str, found: dict[str, Found]) -> tuple[str, ...]:
    mine = found[MONITOR]
    shares = (f"{each.recall:.0%}" for each in found.values())
    delays = _time(mine.delay(MEDIAN)), _time(mine.delay(NEARLY_ALL))
    return kind, str(mine.incidents), *shares, str(mine.joined or "-"), *delays


def _precision(results: Results, scenario: str) -> str:
    outcome = results.outcomes[scenario]
    shares = []
    for name in results.judged:
        share = precision(outcome.tallies[name], outcome.incidents)
        shares.append(f"{name} {'-' if share is None else f'{share:.0%}'}")
    return f"Share of pages that are about an incident: {', '.join(shares)}."


def _per_incident(results: Results, scenario: str) -> str:
    shares = []
    for name in results.judged:
        counts = results.per_incident(name, scenario)
        if counts["mean"] is not None:
            shares.append(f"{name} {counts['mean']:.2f}, at most {counts['most']:g}")
    return f"Pages per incident that has any: {'; '.join(shares) or '-'}."


def _lives(results: Results) -> str:
    rows = []
    for name, _ in _scored(results):
        each = results.lives(MONITOR, name)
        events = (f"{each.events[event.value]:,}" for event in Event)
        resolved = _time(quantile(each.delays, MEDIAN)), _time(quantile(each.delays, NEARLY_ALL))
        rows.append((name, *events, *resolved, str(each.unresolved), str(len(each.early)), str(each.overdue)))
    heads = [event.value for event in Event]
    half = "half until resolved within", "95 % within"
    return table(("Scenario", *heads, *half, "still open", "too early", "too long"), rows)


def _while_learning(results: Results) -> Iterator[str]:
    """The pages on learning days. In a quick run only of scenarios whose deliveries are like those of AWS."""
    yield "## Pages on the learning days"
    rows = []
    for name, outcome in results.outcomes.items():
        if outcome.days and results.size == "quick":
            continue
        pages, days = outcome.tallies[MONITOR].while_learning, outcome.learning_days
        rate = outcome.tallies[MONITOR].rate_while_learning(outcome.interfaces, max(days, 1))
        rows.append(
            (name, f"{len(pages):,}", *_interval(rate), f"{outcome.interfaces * days:,}", causes(pages))
        )
    head = "pages", "per day and 1,000 interfaces", "95 % interval", "interface-days", "detectors"
    yield table(("Scenario", *head), rows)
    reported = [count for each in results.tallies(MONITOR) for count in each.refused.values()]
    yield _REFUSED.format(sum(reported), len(reported), results.refused(MONITOR))


def _accuracy(results: Results) -> str:
    rows = []
    for name, outcome in _scored(results):
        judged = outcome.accuracy
        verdicts = judged.high.right + judged.high.wrong + judged.low.right + judged.low.wrong
        shares = (judged.high.share, judged.low.share, judged.coverage)
        cells = ("-" if share is None else f"{share:.2%}" for share in shares)
        rows.append((name, *cells, f"{verdicts + judged.undecided:,}"))
    head = "Scenario", "right if sure", "right if not sure", "sure", "records checked"
    return table(head, rows)


def _processed(results: Results) -> str:
    rows = []
    for name, outcome in _scored(results):
        tally = outcome.tallies[MONITOR]
        rows.append(
            (
                name,
                f"{tally.records:,}",
                f"{tally.batches:,}",
                f"{tally.writes_per_thousand():.3f}",
                f"{tally.writes_per_batch():.3f}",
                str(tally.low_confidence),
                f"{outcome.seconds:,.0f}",
            )
        )
    head = "Scenario", "records", "batches", "writes per 1,000", "per batch", "unsure pages", "s"
    spent = [outcome.seconds for outcome in results.outcomes.values()]
    total = (
        f"All scenarios together took {_time(sum(spent))} of processor time, the longest {_time(max(spent))}."
    )
    return f"{table(head, rows)}\n\n{total}"


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds / _HOUR:.1f} h"
