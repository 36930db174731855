"""Queries about password guessing: brute-force, internet-brute-force."""

from __future__ import annotations

from typing import Final

from flowwarden.monitor.detectors.brute_force import DAY_FACTOR, SESSIONS_EACH
from flowwarden.monitor.traffic.sessions import (
    FIN,
    LEAST_ANSWER,
    MOST_BYTES,
    MOST_PACKETS,
    MOST_SECONDS,
    SIZED_PORTS,
)
from flowwarden.network.services import TCP
from flowwarden_cli.athena import flows
from flowwarden_cli.athena.flows import INTERNET, OWN, RST, SYN
from flowwarden_cli.athena.period import SECONDS_OF_DAY
from flowwarden_cli.athena.queries.contacting import DAYS, HOURS
from flowwarden_cli.athena.query import ALWAYS, BASELINE, INITIATOR, ROLES, Query, with_steps
from flowwarden_cli.athena.scope import Scope
from flowwarden_cli.athena.sql import any_of, numbers

_LARGE: Final = any_of(
    (
        f"bytes > {MOST_BYTES}",
        f"packets > {MOST_PACKETS}",
        f'"end" - "start" > {MOST_SECONDS}',
        f"(flags IS NOT NULL AND bitwise_and(flags, {SYN | FIN | RST}) = 0)",
    )
)
"""Whether a record is too large or too long for a failed log-in, or continues a session."""
_LEAST_ANSWER: Final = " ".join(f"WHEN {port} THEN {least}" for port, least in sorted(LEAST_ANSWER.items()))


def _sessions(where: str, spans: tuple[tuple[int, int], ...]) -> str:
    """The common table expressions `sessions` and `alike`.

    A row of `alike` is a service of a server, with the sessions of the same small size of a client.
    """
    return f"""\
sessions AS (
  SELECT
    span, "start" - ("start" + shift) % span AS window_start, client, server, port, client_port,
    COALESCE(bool_or({_LARGE}), false) AS large,
    COALESCE(max(CASE WHEN NOT forward THEN round(4 * log2(greatest(bytes, 1))) END), 0) AS size_class
  FROM flows
  CROSS JOIN {flows.windows(spans)}
  WHERE protocol = {TCP} AND action = 'ACCEPT' AND (flags IS NULL OR flags <> {RST})
    AND port IN ({numbers(SIZED_PORTS)}) AND (COALESCE({_LARGE}, false) OR NOT forward)
    AND {where}
  GROUP BY span, "start" - ("start" + shift) % span, client, server, port, client_port
),
{_ALIKE}"""


_ALIKE: Final = """\
sized AS (
  SELECT span, window_start, client, server, port, size_class + step AS size_class, count(*) AS sessions
  FROM sessions
  CROSS JOIN (VALUES (0), (1)) AS steps (step)
  WHERE NOT large
  GROUP BY span, window_start, client, server, port, size_class + step
),
every AS (
  SELECT span, window_start, client, server, port, count(*) AS sessions
  FROM sessions
  GROUP BY span, window_start, client, server, port
),
alike AS (
  SELECT
    sized.span, sized.window_start, sized.client, sized.server, sized.port,
    max(sized.sessions) AS sessions
  FROM sized
  JOIN every
    ON every.span = sized.span AND every.window_start = sized.window_start
    AND every.client = sized.client AND every.server = sized.server AND every.port = sized.port
  WHERE 2 * sized.sessions >= every.sessions
  GROUP BY sized.span, sized.window_start, sized.client, sized.server, sized.port
)"""


def _brute_force(scope: Scope) -> str:
    least = scope.thresholds.brute_force_sessions
    where = f"client_class = {OWN} AND server_class = {OWN}" + flows.exempt(scope.policy, "client")
    last = f"""\
SELECT
  client AS subject,
  sum(sessions) AS sessions,
  count(DISTINCT server) AS servers,
  span AS span_seconds,
  from_unixtime(window_start) AS window_start
FROM alike
WHERE sessions >= CASE WHEN span = {SECONDS_OF_DAY} THEN {round(DAY_FACTOR * least)} ELSE {SESSIONS_EACH} END
GROUP BY client, span, window_start
HAVING span = {SECONDS_OF_DAY} OR sum(sessions) >= {least}
ORDER BY sessions DESC, subject"""
    return with_steps([*flows.steps(scope), _sessions(where, (*HOURS, *DAYS))], last)


def _internet_brute_force(scope: Scope) -> str:
    where = f"client_class = {INTERNET} AND server_class = {OWN}" + flows.exempt(scope.policy, "server")
    where += f"\n    AND (forward OR bytes IS NULL OR bytes >= CASE port {_LEAST_ANSWER} ELSE 0 END)"
    last = f"""\
SELECT
  server AS subject,
  port,
  count(DISTINCT client) AS clients,
  max(sessions) AS sessions,
  from_unixtime(min(window_start)) AS first_day
FROM alike
WHERE sessions >= {round(DAY_FACTOR * scope.thresholds.brute_force_sessions)}
GROUP BY server, port
ORDER BY sessions DESC, subject"""
    return with_steps([*flows.steps(scope), _sessions(where, DAYS)], last)


_SIZES: Final = (
    "Bursts: where a role uses the service anyway, the detector needs several connections in a batch."
)

BRUTE_FORCE: Final = Query(
    detector="brute-force",
    needs=flows.NEEDED,
    thresholds=("brute_force_sessions",),
    leaves_out=(
        BASELINE,
        _SIZES,
        "Sliding windows: an hour begins at a full or half hour, a day at midnight UTC.",
        *(ROLES, INITIATOR, *ALWAYS),
    ),
    text=_brute_force,
)
INTERNET_BRUTE_FORCE: Final = Query(
    detector="internet-brute-force",
    needs=flows.NEEDED,
    thresholds=("brute_force_sessions",),
    leaves_out=(
        f"{BASELINE} The detector pages again only when a larger session may be a log-in.",
        *(INITIATOR, *ALWAYS),
    ),
    text=_internet_brute_force,
)
