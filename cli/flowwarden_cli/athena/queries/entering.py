"""Queries about the internet coming in: internet-to-private, internet-to-admin-port, scanner-connected."""

from __future__ import annotations

from typing import Final

from flowwarden.monitor.detectors.internet_to_admin_port import PORTS
from flowwarden.network.host_set import ID_PREFIXES
from flowwarden.network.services import TCP
from flowwarden_cli.athena import flows
from flowwarden_cli.athena.flows import INTERNET, OUTSIDE, OWN
from flowwarden_cli.athena.period import SECONDS_OF_DAY
from flowwarden_cli.athena.queries.contacting import DAYS
from flowwarden_cli.athena.query import ALWAYS, BASELINE, INITIATOR, ROLES, Query, with_steps
from flowwarden_cli.athena.scope import Scope
from flowwarden_cli.athena.sql import NotExpressible, any_of, literals, numbers, within

_FROM_INTERNET: Final = f"client_class = {INTERNET} AND server_class = {OWN}"


def _internet_to_private(scope: Scope) -> str:
    ids = [each for each in scope.policy.private_subnets if each.startswith(ID_PREFIXES)]
    cidrs = [each for each in scope.policy.private_subnets if not each.startswith(ID_PREFIXES)]
    if not ids and not cidrs:
        raise NotExpressible("internet-to-private needs private_subnets in the policy; name it with --policy")
    if ids and not cidrs and not scope.has("subnet-id"):
        raise NotExpressible(
            "internet-to-private needs subnet-id in the log format, because the policy lists private_subnets "
            "by id"
        )
    places = [within("TRY_CAST(server AS ipaddress)", cidrs)] if cidrs else []
    # The record's subnet is the server's only if the server's interface logged it.
    places += [f"(NOT {flows.AT_CLIENT} AND subnet_id IN ({literals(ids)}))"] if ids else []
    connections = f"""\
connections AS (
  SELECT
    server, protocol, port, client, client_port,
    COALESCE(bool_or({flows.ANSWER}), false) AS answered,
    COALESCE(bool_or(sure), false) AS sure,
    min("start") AS first_seen
  FROM flows
  WHERE {_FROM_INTERNET} AND action = 'ACCEPT'{flows.exempt(scope.policy, "server")}
    AND {any_of(places)}
  GROUP BY server, protocol, port, client, client_port
)"""
    last = """\
SELECT
  server AS subject,
  protocol,
  port,
  count(DISTINCT client) AS clients,
  count(*) AS connections,
  from_unixtime(min(first_seen)) AS first_seen
FROM connections
WHERE answered AND sure
GROUP BY server, protocol, port
ORDER BY connections DESC, subject"""
    return with_steps([*flows.steps(scope), connections], last)


def _internet_to_admin_port(scope: Scope) -> str:
    where = f"{_FROM_INTERNET} AND protocol = {TCP} AND port IN ({numbers(PORTS)})"
    last = """\
SELECT
  server AS subject,
  port,
  count(DISTINCT client) AS clients,
  min(client) AS client,
  from_unixtime(min(first_seen)) AS first_seen
FROM contacts
WHERE answered AND sure
GROUP BY server, port
ORDER BY clients DESC, subject"""
    where += flows.exempt(scope.policy, "server")
    return with_steps([*flows.steps(scope), flows.contacts(where, DAYS)], last)


def _scanner_connected(scope: Scope) -> str:
    where = f"client_class IN ({OUTSIDE}) AND server_class = {OWN} AND port > 0"
    scanners = f"""\
scanners AS (
  SELECT client, count(*) AS places
  FROM (
    SELECT DISTINCT client, server, protocol, port
    FROM contacts
    WHERE attempted AND NOT answered AND (rejected OR reset)
  ) AS refused
  GROUP BY client
  HAVING count(*) >= {scope.thresholds.scanner_destinations}
)"""
    last = f"""\
SELECT
  contacts.server AS subject,
  contacts.protocol,
  contacts.port,
  min(contacts.client) AS scanner,
  max(scanners.places) AS refused_places,
  from_unixtime(min(contacts.first_seen)) AS first_seen
FROM contacts
JOIN scanners ON scanners.client = contacts.client
WHERE contacts.answered AND contacts.client_class = {INTERNET}
  AND contacts.first_seen >= {scope.period.begin}{flows.exempt(scope.policy, "contacts.server")}
GROUP BY contacts.server, contacts.protocol, contacts.port
ORDER BY refused_places DESC, subject"""
    steps = [*flows.steps(scope, earlier=SECONDS_OF_DAY), flows.contacts(where, DAYS), scanners]
    return with_steps(steps, last)


INTERNET_TO_PRIVATE: Final = Query(
    detector="internet-to-private",
    needs=flows.NEEDED,
    leaves_out=(
        "Batches: an answer counts at any time of the period.",
        *(INITIATOR, *ALWAYS),
    ),
    text=_internet_to_private,
)
INTERNET_TO_ADMIN_PORT: Final = Query(
    detector="internet-to-admin-port",
    needs=flows.NEEDED,
    leaves_out=(
        f"{BASELINE} A port that the internet reaches on purpose appears too.",
        "Later records of a connection that began before the period.",
        *(ROLES, INITIATOR, *ALWAYS),
    ),
    text=_internet_to_admin_port,
)
SCANNER_CONNECTED: Final = Query(
    detector="scanner-connected",
    needs=flows.NEEDED,
    thresholds=("scanner_destinations",),
    leaves_out=(
        f"{BASELINE} Services that the internet usually reaches appear too.",
        "Days: refusals count if they are in the period or on the day before it.",
        *(ROLES, INITIATOR, *ALWAYS),
    ),
    text=_scanner_connected,
)
