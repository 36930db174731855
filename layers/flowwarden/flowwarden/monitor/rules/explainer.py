"""Explains rejections: reads the rules from EC2 when a page is sent, and evaluates them.

The lookups of a batch have a limit of seconds and requests; `reader` contains the cache of a container, and
its pause. If a rule is unknown, the verdict may be undetermined; no page waits longer for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from msgspec.structs import replace

from flowwarden.monitor.budget import Budget
from flowwarden.monitor.rules.allowance import Allowance
from flowwarden.monitor.rules.explanation import Explanation
from flowwarden.monitor.rules.lookup import Lookup
from flowwarden.monitor.rules.ports import Allow, Attached, RuleChanges, RuleDirectory
from flowwarden.monitor.rules.question import question_of
from flowwarden.monitor.rules.reader import Reader
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.rules.verdict import Verdict, judge
from flowwarden.notify.run import RESERVE
from flowwarden.state.rule_changes import ROUTES

SECONDS: Final = 4.0
"""For the lookups of a batch: a page usually takes ten requests of 0.02 to 0.2 s each. The request that
exceeds them takes at most 3 s more."""
REQUESTS: Final = 32
"""For the lookups of a batch."""
MOST_RESOURCES: Final = 10
"""Resources whose changes are read for a page, one request each."""
SLOWEST: Final = 3.0
"""Seconds that a request takes that hangs: 1 s to connect and 2 s to respond."""
CLOSING: Final = RESERVE + SLOWEST
"""Seconds that must be left to begin a request. So after one that hangs, the other notifications of the batch
are still claimed: without claims, they could be sent twice."""

type Networks = Callable[[str], Sequence[str]]
"""The networks of the VPC of an interface, from memory; empty if they are not known."""
type Explain = Callable[[DirectedFlow], Explanation]


class RuleExplainer:
    """Explains rejections. One per container."""

    def __init__(
        self, directory: RuleDirectory, changes: RuleChanges | None, warn: Callable[[str], None]
    ) -> None:
        """Begin without memory.

        Args:
            directory: reads rules from EC2.
            changes: their latest changes; None if they are not stored.
            warn: logs a warning.
        """
        self._warn = warn
        self._directory = directory
        self._changes = changes
        self._ec2 = Reader()
        self._table = Reader()

    def for_batch(self, now: int, time_left: Callable[[], float], networks: Networks) -> Explain:
        """The function that explains the rejections of one batch.

        Args:
            now: Unix seconds.
            time_left: seconds until Lambda stops the function.
            networks: see `Networks`.
        """
        allow = Allowance(Budget(SECONDS, time_left, CLOSING), REQUESTS).request
        return lambda example: self._guarded(example, now, allow, networks)

    def _guarded(self, example: DirectedFlow, now: int, allow: Allow, networks: Networks) -> Explanation:
        """The explanation; a fault of this code costs the explanation, and not the page."""
        try:
            return self._explain(example, now, allow, networks)
        except Exception as error:  # noqa: BLE001 - the batch would fail, and after its retries so would the page
            self._warn(f"rules were not evaluated: {error!r}")
            return Explanation(reasons=(f"an error in the evaluation ({type(error).__name__})",), at=now)

    def _explain(self, example: DirectedFlow, now: int, allow: Allow, networks: Networks) -> Explanation:
        question = question_of(example)
        if isinstance(question, str):
            return Explanation(reasons=(question,), at=now)
        lookup = Lookup(self._directory, self._ec2, now, allow)
        here = lookup.interface(question.interface_id)
        if here is None:
            missing = f"EC2 does not describe {question.interface_id}"
            return Explanation(reasons=tuple(lookup.reasons) or (missing,), at=now)
        far = lookup.interface_at(here.interface.vpc_id or question.vpc_id, question)
        ends = [here] if far is None else [here, far]
        configuration = lookup.configuration(ends, question.request)
        rejected = question.rejected(here, far, networks(question.interface_id))
        explained = Explanation(
            verdict=judge(rejected, configuration), question=question, reasons=tuple(lookup.reasons), at=now
        )
        if explained.verdict is None:
            return explained
        resources = _resources(explained.verdict, ends, configuration.prefix_lists)
        lookup = Lookup(self._directory, self._table, now, allow)
        return self._with_changes(explained, resources, question.far, lookup)

    def _with_changes(
        self, explained: Explanation, resources: Sequence[str], far: str, lookup: Lookup
    ) -> Explanation:
        if self._changes is None:
            return explained
        changes = lookup.changes(self._changes, resources)
        return replace(
            explained,
            changes=tuple(each for each in changes if each.concerns(far)),
            changes_missing=next(iter(lookup.reasons), ""),
        )


def _resources(verdict: Verdict, ends: Sequence[Attached], prefix_lists: Iterable[str]) -> tuple[str, ...]:
    """What can have changed: components that can be the cause, membership in groups, routes, prefix lists."""
    components = [each for check in verdict.examined for each in check.ids]
    members = [each for end in ends for each in (end.interface.interface_id, end.interface.instance_id)]
    wanted = (*components, *members, ROUTES, *prefix_lists)
    return tuple(dict.fromkeys(each for each in wanted if each))[:MOST_RESOURCES]
