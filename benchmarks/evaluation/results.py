"""The results of a run as JSON, for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from benchmarks.evaluation import scenarios
from benchmarks.evaluation.accuracy import Accuracy
from benchmarks.evaluation.cases import cases
from benchmarks.evaluation.figures import Rate, per_day_and_thousand, quantile
from benchmarks.evaluation.generator.model import DAY
from benchmarks.evaluation.lives import Lives, lives
from benchmarks.evaluation.refusals import most_a_month
from benchmarks.evaluation.run import MONITOR, Outcome
from benchmarks.evaluation.subject import Page
from benchmarks.evaluation.tally import (
    Found,
    Tally,
    by_detector,
    found,
    pages_per_incident,
    precision,
    together,
    wrong_subjects,
)

MEDIAN, NEARLY_ALL = 0.5, 0.95
_DIGITS: Final = 4


class Results(Struct):
    """The outcomes of a run's scenarios, by their name."""

    seed: int
    size: str
    """`quick`, `medium` or `full`."""
    outcomes: dict[str, Outcome]

    def document(self) -> dict[str, Any]:
        """The results as JSON values; `peers` has the same for each peer."""
        mine = self.of(MONITOR)
        return {
            "seed": self.seed,
            "size": self.size,
            **mine,
            **{
                f"initiator_accuracy_{name.replace('-', '_')}": accuracy(outcome.accuracy)
                for name, outcome in self.outcomes.items()
            },
            "initiator_accuracy_high_confidence": self._accuracy(scenarios.BENIGN),
            "initiator_accuracy_high_confidence_v2": self._accuracy(scenarios.BENIGN_V2),
            "peers": {name: self.of(name) for name in self.judged if name != MONITOR},
            "cases": {name: cases(outcome, MONITOR) for name, outcome in self.outcomes.items()},
            "lines": sum(each.lines for each in self.outcomes.values()),
            "deliveries": sum(each.deliveries for each in self.outcomes.values()),
            "seconds": {name: round(each.seconds, 1) for name, each in self.outcomes.items()},
        }

    @property
    def judged(self) -> list[str]:
        """The names of all systems under test, the monitor first."""
        return list(next(iter(self.outcomes.values())).tallies)

    def of(self, name: str) -> dict[str, Any]:
        """The results of a system under test."""
        benign = self.outcomes.get(scenarios.BENIGN) or self.outcomes[scenarios.BENIGN_V2]
        incidents = self.outcomes[scenarios.INCIDENTS]
        kinds = self.found(name, scenarios.INCIDENTS)
        tally = incidents.tallies[name]
        tallies = self.tallies(name)
        return {
            "pages_per_day_per_1000_enis": self._rate(name, scenarios.BENIGN),
            "pages_per_day_per_1000_enis_stress": self._rate(name, scenarios.STRESS),
            "pages_per_day_per_1000_enis_v2": self._rate(name, scenarios.BENIGN_V2),
            "recall": recalls(kinds),
            "recall_v2": recalls(self.found(name, scenarios.INCIDENTS_V2)),
            "precision": _rounded(precision(tally, incidents.incidents)),
            "pages_per_incident": self.per_incident(name, scenarios.INCIDENTS),
            "life": {
                scenario: life(self.lives(name, scenario))
                for scenario, outcome in self.outcomes.items()
                if outcome.days and name in outcome.tallies
            },
            "pages_while_learning": {
                scenario: dict(by_detector(outcome.tallies[name].while_learning))
                for scenario, outcome in self.outcomes.items()
                if name in outcome.tallies
            },
            "pages_a_month_about_a_refused_role_and_service": self.refused(name),
            "wrong_subjects": self.wrong_subjects(name),
            "time_to_detect": {
                "all": delays(together(kinds)),
                **{kind: delays(each) for kind, each in kinds.items()},
            },
            "pages_at_low_confidence": sum(each.low_confidence for each in tallies),
            "repeated_pages": sum(each.repeats() for each in tallies),
            "write_units_per_1000_records": round(benign.tallies[name].writes_per_thousand(), _DIGITS),
            "write_units_per_batch": round(benign.tallies[name].writes_per_batch(), _DIGITS),
            "records": sum(each.records for each in tallies),
            "batches": sum(each.batches for each in tallies),
        }

    def tallies(self, name: str) -> list[Tally]:
        """The tallies of a system under test, one for each scenario that it took part in."""
        return [each.tallies[name] for each in self.outcomes.values() if name in each.tallies]

    def refused(self, name: str) -> float:
        """The maximum number of pages per month about a role and service in any scenario; see `refusals`."""
        return max(
            most_a_month(each.tallies[name].refused, each.days + each.learning_days)
            for each in self.outcomes.values()
            if name in each.tallies
        )

    def wrong_subjects(self, name: str) -> int:
        """The number of pages with a wrong subject."""
        return sum(
            len(wrong_subjects(outcome.tallies[name], outcome.incidents))
            for outcome in self.outcomes.values()
            if name in outcome.tallies
        )

    def unneeded(self, name: str) -> Rate:
        """Pages per day and 1,000 interfaces in all scenarios without incidents together."""
        count = seconds = 0
        for each in filter(None, map(self.outcomes.get, scenarios.WITHOUT_INCIDENTS)):
            count += len(each.tallies[name].paged)
            seconds += each.interfaces * each.days * DAY
        return per_day_and_thousand(count, 1, seconds)

    def found(self, name: str, scenario: str) -> dict[str, Found]:
        """The findings of a system under test in a scenario, by kind of incident."""
        outcome = self.outcomes[scenario]
        return dict(sorted(found(outcome.tallies[name], outcome.incidents).items()))

    def lives(self, name: str, scenario: str) -> Lives:
        """The life of the incidents of a system under test in a scenario."""
        outcome = self.outcomes[scenario]
        return lives(outcome.tallies[name], outcome.incidents)

    def per_incident(self, name: str, scenario: str) -> dict[str, float | None]:
        """Pages per incident that has any, on average and at worst."""
        outcome = self.outcomes[scenario]
        counts = [each for each in pages_per_incident(outcome.tallies[name], outcome.incidents) if each]
        return {
            "mean": _rounded(sum(counts) / len(counts)) if counts else None,
            "most": max(counts, default=None),
        }

    def _rate(self, name: str, scenario: str) -> dict[str, Any] | None:
        outcome = self.outcomes.get(scenario)
        if outcome is None:
            return None
        tally = outcome.tallies[name]
        rate = tally.rate(outcome.interfaces, outcome.days)
        return {
            **{key: round(value, _DIGITS) for key, value in msgspec.to_builtins(rate).items()},
            "pages": len(tally.paged),
            "reported": len(tally.reported),
            "interface_days": outcome.interfaces * outcome.days,
            "by_detector": dict(by_detector(tally.paged).most_common()),
        }

    def _accuracy(self, scenario: str) -> float | None:
        outcome = self.outcomes.get(scenario)
        return _rounded(outcome.accuracy.high.share) if outcome else None


def accuracy(judged: Accuracy) -> dict[str, Any]:
    """Verdicts about the initiator, by confidence."""
    return {
        "high_confidence": _rounded(judged.high.share),
        "low_confidence": _rounded(judged.low.share),
        "share_at_high_confidence": _rounded(judged.coverage),
        "verdicts": msgspec.to_builtins(judged),
    }


def recalls(kinds: dict[str, Found]) -> dict[str, Any]:
    """Recall by kind of incident."""
    return {
        kind: {
            "recall": round(each.recall, _DIGITS),
            "found": len(each.delays),
            "joined": each.joined,
            "of": each.incidents,
        }
        for kind, each in kinds.items()
    }


def life(each: Lives) -> dict[str, Any]:
    """The life of incidents."""
    return {
        "notifications": dict(each.events),
        "overdue": each.overdue,
        "labeled_and_resolved": len(each.delays),
        "labeled_and_open_at_the_end": each.unresolved,
        "seconds_from_end_to_resolved": {
            "p50": quantile(each.delays, MEDIAN),
            "p95": quantile(each.delays, NEARLY_ALL),
        },
        "resolved_too_early": dict(Counter(each.early)),
    }


def delays(each: Found) -> dict[str, float | None]:
    """Seconds until the page about an incident, including the delivery."""
    return {"p50": each.delay(MEDIAN), "p95": each.delay(NEARLY_ALL)}


def causes(pages: Sequence[Page]) -> str:
    """The detectors behind the pages, in descending order of pages."""
    return ", ".join(f"{name} {count:,}" for name, count in by_detector(pages).most_common())


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)
