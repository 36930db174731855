"""A query that approximates a detector, with a comment that says what it leaves out."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import wrap
from typing import Final

from msgspec import Struct

from flowwarden.monitor.detectors import BY_NAME
from flowwarden_cli.athena.scope import Scope
from flowwarden_cli.athena.sql import NotExpressible

WIDTH: Final = 100
"""Characters of a line of the comment."""

BASELINE: Final = (
    "The learned baseline: what is usual for the role of a host appears too. Compare with an earlier period."
)
ROLES: Final = (
    "The kind and the role of an interface: NAT gateways, load balancers and hosts of one role are hosts "
    "like any other."
)
INITIATOR: Final = (
    "Rules for the initiator that need the reverse flow: a record without a SYN is judged by its ports alone."
)
BATCHES: Final = "Batches: the query counts in windows of time instead, also over several interfaces."
OWN_NETWORKS: Final = (
    "Public networks of your VPCs that are not in own_cidrs: the query does not read them from EC2."
)
ALERTS: Final = "Mutes, inhibition, severity, and the suppression of repeats."
ALWAYS: Final = (OWN_NETWORKS, ALERTS)
"""Left out of each query about traffic."""


class Query(Struct, frozen=True, kw_only=True):
    """A query that approximates a detector. Its first column is `subject`, as in a finding."""

    detector: str
    needs: tuple[str, ...]
    """Fields of the log format."""
    leaves_out: tuple[str, ...]
    """Parts of the detector that the query omits, one sentence or two for each."""
    text: Callable[[Scope], str]
    """The query without its comment. Raises NotExpressible, for example if the policy lacks a setting."""
    thresholds: tuple[str, ...] = ()
    """The names of the thresholds in it."""


def rendered(query: Query, scope: Scope) -> str:
    """The query with its comment. Raises NotExpressible if the log format lacks a field."""
    if lacking := [each for each in query.needs if not scope.has(each)]:
        raise NotExpressible(
            f"{query.detector} needs {', '.join(lacking)} in the log format; write the format of the table "
            "with --format"
        )
    text = query.text(scope)
    return "\n".join([*_comment(query, scope), text])


def _comment(query: Query, scope: Scope) -> list[str]:
    values = {each: getattr(scope.thresholds, each) for each in query.thresholds}
    known = ", ".join(f"{key} = {value}" for key, value in values.items()) or "none"
    lines = [
        f"{query.detector}: {BY_NAME[query.detector].summary}.",
        f"This query approximates the detector. Thresholds: {known}. Period: {scope.period.label}.",
        "It leaves out:",
    ]
    found = [f"-- {line}" for each in lines for line in wrap(each, WIDTH)]
    for each in query.leaves_out:
        first, *rest = wrap(each, WIDTH)
        found += [f"--   * {first}", *(f"--     {line}" for line in rest)]
    return found


def with_steps(steps: list[str], last: str) -> str:
    """A query from its common table expressions and its last part."""
    return "WITH " + ",\n".join(steps) + f"\n{last.strip()};"
