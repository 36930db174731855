"""Queries about rejected attempts of the internet: reject-spike, internet-rejects."""

from __future__ import annotations

from typing import Final

from flowwarden.monitor.detectors.reject_spike import HISTORY, LEAST, SLOT
from flowwarden.network.services import TCP
from flowwarden_cli.athena import flows
from flowwarden_cli.athena.flows import OUTSIDE, OWN, SYN
from flowwarden_cli.athena.period import SECONDS_OF_DAY
from flowwarden_cli.athena.query import ALWAYS, INITIATOR, Query, with_steps
from flowwarden_cli.athena.scope import Scope

_ATTEMPTS: Final = f"""\
attempts AS (
  SELECT src, dst, protocol, dstport, "start"
  FROM directed
  WHERE action = 'REJECT' AND src_class IN ({OUTSIDE}) AND dst_class = {OWN}
    AND COALESCE(from_source, true)
    AND NOT (protocol = {TCP} AND flags IS NOT NULL AND bitwise_and(flags, {SYN}) = 0)
)"""
"""The common table expression of rejected attempts; an unknown initiator counts as the sender."""


_COUNTS: Final = f"""\
counts AS (
  SELECT dst, slot, count(*) AS attempts
  FROM (
    SELECT DISTINCT dst, src, protocol, dstport, "start" - "start" % {SLOT} AS slot
    FROM attempts
  ) AS each_attempt
  GROUP BY dst, slot
)"""
"""The common table expression `counts`: distinct attempts by host and slot."""
_COMPARED: Final = f"""\
history AS (
  SELECT candidates.dst, candidates.slot, candidates.attempts, earlier.slot AS earlier
  FROM candidates
  CROSS JOIN UNNEST(
    sequence(candidates.slot - {HISTORY * SLOT}, candidates.slot - {SLOT}, {SLOT})
  ) AS earlier (slot)
),
compared AS (
  SELECT
    history.dst,
    history.slot,
    history.attempts,
    approx_percentile(greatest(COALESCE(counts.attempts, {LEAST}), {LEAST}), 0.5) AS usual
  FROM history
  LEFT JOIN counts ON counts.dst = history.dst AND counts.slot = history.earlier
  GROUP BY history.dst, history.slot, history.attempts
)"""
"""The common table expressions `history` and `compared`: candidates with the median of the day before."""


def _reject_spike(scope: Scope) -> str:
    factor = scope.thresholds.spike_factor
    candidates = f"""\
candidates AS (
  SELECT dst, slot, attempts
  FROM counts
  WHERE attempts > {factor * LEAST} AND slot >= {scope.period.begin}
)"""
    last = f"""\
SELECT
  dst AS subject,
  from_unixtime(slot) AS slot,
  attempts,
  usual
FROM compared
WHERE attempts > {factor} * usual
ORDER BY attempts DESC, subject"""
    steps = [*flows.directed(scope, earlier=SECONDS_OF_DAY), _ATTEMPTS, _COUNTS, candidates, _COMPARED]
    return with_steps(steps, last)


def _internet_rejects(scope: Scope) -> str:
    last = """\
SELECT
  dst AS subject,
  count(*) AS records,
  count(DISTINCT src) AS sources,
  count(DISTINCT dstport) AS ports,
  from_unixtime(min("start")) AS first_seen
FROM attempts
GROUP BY dst
ORDER BY records DESC, subject"""
    return with_steps([*flows.directed(scope), _ATTEMPTS], last)


REJECT_SPIKE: Final = Query(
    detector="reject-spike",
    needs=flows.NEEDED,
    thresholds=("spike_factor",),
    leaves_out=(
        "The z-score: the query compares with the median of the day before alone.",
        "The six hours after a spike, in which the detector reports no other.",
        "Estimates: the query counts attempts exactly, the detector in 256 buckets.",
        *(INITIATOR, *ALWAYS),
    ),
    text=_reject_spike,
)
INTERNET_REJECTS: Final = Query(
    detector="internet-rejects",
    needs=flows.NEEDED,
    leaves_out=(
        "Names of internet hosts that tried many ports.",
        "Batches: a row is about the whole period.",
        *(INITIATOR, *ALWAYS),
    ),
    text=_internet_rejects,
)
