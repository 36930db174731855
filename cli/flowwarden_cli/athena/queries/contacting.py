"""Queries about what internal hosts try: scan, lateral-movement, ping-sweep."""

from __future__ import annotations

from typing import Final

from flowwarden.network.services import ADMIN_PORTS, ICMP, ICMPV6, TCP, UNPRIVILEGED
from flowwarden.policy.detection import Thresholds
from flowwarden_cli.athena import flows
from flowwarden_cli.athena.flows import OUTSIDE, OWN
from flowwarden_cli.athena.period import SECONDS_OF_DAY, SECONDS_OF_HOUR
from flowwarden_cli.athena.query import ALWAYS, BASELINE, BATCHES, INITIATOR, ROLES, Query, with_steps
from flowwarden_cli.athena.scope import Scope
from flowwarden_cli.athena.sql import numbers

HOURS: Final = ((SECONDS_OF_HOUR, 0), (SECONDS_OF_HOUR, SECONDS_OF_HOUR // 2))
DAYS: Final = ((SECONDS_OF_DAY, 0),)
_PINGS: Final = f"protocol IN ({ICMP}, {ICMPV6}) AND src_class = {OWN} AND dst_class = {OWN}"


def _scan(scope: Scope) -> str:
    where = f"client_class = {OWN} AND server_class IN ({OWN}, {OUTSIDE}) AND port > 0"
    where += flows.exempt(scope.policy, "client")
    steps = [*flows.steps(scope), flows.contacts(where, (*HOURS, *DAYS)), _FAILURES, _found(scope.thresholds)]
    return with_steps(steps, _SCANS)


_FAILURES: Final = f"""\
outcomes AS (
  SELECT
    *,
    attempted AND NOT answered AND (rejected OR reset OR (passed AND protocol = {TCP})) AS failed,
    rejected AND server_class <> {OWN} AS denied
  FROM contacts
  WHERE sure
),
failures AS (
  SELECT
    client, span, window_start,
    count_if(failed AND NOT denied) AS failed,
    count(DISTINCT CASE WHEN failed AND denied THEN protocol * 65536 + port END) AS denied,
    count(DISTINCT CASE WHEN failed THEN server END) AS servers
  FROM outcomes
  GROUP BY client, span, window_start
)"""
"""The common table expressions `outcomes` and `failures`, of each client and window."""


def _found(limits: Thresholds) -> str:
    """The common table expression `found`: windows in which a client scans, by either rule."""
    return f"""\
found AS (
  SELECT
    client, 'failures' AS rule, failed + least(failed, denied) AS places, servers, window_start, span
  FROM failures
  WHERE failed + least(failed, denied)
    >= CASE WHEN span = {SECONDS_OF_HOUR} THEN {limits.scan_hour} ELSE {limits.scan_day} END
  UNION ALL
  SELECT client, 'ports of one server', count(DISTINCT port), 1, window_start, span
  FROM outcomes
  WHERE port < {UNPRIVILEGED} AND span = {SECONDS_OF_HOUR}
  GROUP BY client, server, window_start, span
  HAVING count(DISTINCT port) >= {limits.scan_ports}
)"""


_SCANS: Final = """\
SELECT
  client AS subject,
  rule,
  max(places) AS places,
  max(servers) AS servers,
  from_unixtime(min(window_start)) AS first_window,
  min(span) AS span_seconds
FROM found
GROUP BY client, rule
ORDER BY places DESC, subject"""


def _lateral_movement(scope: Scope) -> str:
    where = f"client_class = {OWN} AND server_class = {OWN} AND protocol = {TCP}"
    where += f" AND port IN ({numbers(ADMIN_PORTS)})" + flows.exempt(scope.policy, "client")
    last = f"""\
SELECT
  client AS subject,
  count(DISTINCT server) AS servers,
  count(DISTINCT CASE WHEN answered THEN server END) AS answered,
  from_unixtime(min(first_seen)) AS first_seen
FROM contacts
WHERE sure AND (attempted OR answered)
GROUP BY client, window_start
HAVING count(DISTINCT server) >= {scope.thresholds.lateral_hosts}
ORDER BY servers DESC, subject"""
    return with_steps([*flows.steps(scope), flows.contacts(where, DAYS)], last)


def _ping_sweep(scope: Scope) -> str:
    pings = f"""\
pings AS (
  SELECT DISTINCT src, dst, side, "start" - ("start" + shift) % span AS window_start
  FROM directed
  CROSS JOIN {flows.windows(HOURS)}
  WHERE {_PINGS}
)"""
    last = f"""\
SELECT
  sent.src AS subject,
  count(DISTINCT sent.dst) AS silent_servers,
  from_unixtime(sent.window_start) AS window_start
FROM pings AS sent
LEFT JOIN pings AS reply
  ON reply.src = sent.dst AND reply.dst = sent.src AND reply.window_start = sent.window_start
WHERE reply.src IS NULL AND COALESCE(sent.side, 'egress') = 'egress'{flows.exempt(scope.policy, "sent.src")}
GROUP BY sent.src, sent.window_start
HAVING count(DISTINCT sent.dst) >= {scope.thresholds.scan_hour}
ORDER BY silent_servers DESC, subject"""
    return with_steps([*flows.directed(scope), pings], last)


SCAN: Final = Query(
    detector="scan",
    needs=flows.NEEDED,
    thresholds=("scan_hour", "scan_day", "scan_ports"),
    leaves_out=(
        f"{BASELINE} Nothing offsets failures: answers do not, because usual ones are not known.",
        "Weights: each server of a usual service counts in full.",
        f"{BATCHES} An hour is one that begins at a full or half hour, a day is one in UTC.",
        "TCP scans without a SYN, and without tcp-flags those from one server port to another.",
        *(ROLES, INITIATOR, *ALWAYS),
    ),
    text=_scan,
)
LATERAL_MOVEMENT: Final = Query(
    detector="lateral-movement",
    needs=flows.NEEDED,
    thresholds=("lateral_hosts",),
    leaves_out=(
        f"{BASELINE} This includes bastions, deployment, monitoring, and domain controllers.",
        "The day is one in UTC.",
        *(ROLES, INITIATOR, *ALWAYS),
    ),
    text=_lateral_movement,
)
PING_SWEEP: Final = Query(
    detector="ping-sweep",
    needs=flows.NEEDED,
    thresholds=("scan_hour",),
    leaves_out=(
        BASELINE,
        f"{BATCHES} An address counts if it sends no reply in an hour that begins at a full or half hour.",
        "Without flow-direction, the side: a ping also counts where it is received.",
        *(ROLES, *ALWAYS),
    ),
    text=_ping_sweep,
)
