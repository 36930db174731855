"""Queries about connections out: egress-volume, unexpected-egress, new-egress-port, database-egress."""

from __future__ import annotations

from typing import Final

from flowwarden.monitor.baseline.peers import DYNAMIC
from flowwarden.monitor.detectors.new_egress_port import GRAVE_PORTS
from flowwarden.monitor.traffic.usual_volume import DAY_FACTOR, MEGABYTE
from flowwarden.network.services import DATABASE_PORTS, EPHEMERAL, TCP, WEB
from flowwarden_cli.athena import flows
from flowwarden_cli.athena.flows import INTERNET, OUTSIDE, OWN
from flowwarden_cli.athena.period import SECONDS_OF_DAY
from flowwarden_cli.athena.queries.contacting import DAYS, HOURS
from flowwarden_cli.athena.query import ALWAYS, BASELINE, INITIATOR, ROLES, Query, with_steps
from flowwarden_cli.athena.scope import Scope
from flowwarden_cli.athena.sql import NotExpressible, any_of, literals, numbers, within

SLOT: Final = 600
_LATER: Final = f"protocol = {TCP} AND client_port >= {EPHEMERAL} AND port < {EPHEMERAL}"
"""Later records of a connection: the ports show the initiator."""
_TO_INTERNET: Final = f"client_class = {OWN} AND server_class = {INTERNET}"


def _egress_volume(scope: Scope) -> str:
    least = scope.thresholds.upload_megabytes * MEGABYTE
    uploads = f"""\
uploads AS (
  SELECT DISTINCT
    interface_id, client, server, server_class, client_port, port, protocol, packets, bytes, "start", "end"
  FROM flows
  WHERE forward AND action = 'ACCEPT' AND client_class = {OWN} AND server_class IN ({OUTSIDE})
    AND COALESCE(side, 'egress') = 'egress' AND (sure OR ({_LATER})){flows.exempt(scope.policy, "client")}
)"""
    last = f"""\
SELECT
  client AS subject,
  server_class,
  sum(bytes) AS bytes,
  count(DISTINCT server) AS servers,
  max_by(server, bytes) AS largest_receiver,
  span AS span_seconds,
  from_unixtime("start" - ("start" + shift) % span) AS window_start
FROM uploads
CROSS JOIN {flows.windows((*HOURS, *DAYS))}
GROUP BY client, server_class, span, "start" - ("start" + shift) % span
HAVING sum(bytes) >= CASE WHEN span = {SECONDS_OF_DAY} THEN {DAY_FACTOR * least} ELSE {least} END
ORDER BY bytes DESC, subject"""
    return with_steps([*flows.steps(scope), uploads], last)


def _unexpected_egress(scope: Scope) -> str:
    hosts = scope.policy.listener_only
    if not hosts:
        raise NotExpressible("unexpected-egress needs listener_only in the policy; name it with --policy")
    named = {
        "interface_id": [each for each in hosts if each.startswith("eni-")],
        "instance_id": [each for each in hosts if each.startswith("i-")],
    }
    ids = {*named["interface_id"], *named["instance_id"]}
    cidrs = [each for each in hosts if each not in ids]
    places = [within("TRY_CAST(client AS ipaddress)", cidrs)] if cidrs else []
    places += [
        f"({flows.AT_CLIENT} AND {column} IN ({literals(values)}))"
        for column, values in named.items()
        if values
    ]
    last = f"""\
SELECT
  client AS subject,
  protocol,
  port,
  count(DISTINCT server) AS servers,
  min(server) AS server,
  from_unixtime(min("start")) AS first_seen
FROM flows
WHERE {_TO_INTERNET} AND action = 'ACCEPT' AND sure{flows.exempt(scope.policy, "client")}
  AND {any_of(places)}
GROUP BY client, protocol, port
ORDER BY servers DESC, subject"""
    return with_steps(flows.steps(scope), last)


def _new_egress_port(scope: Scope) -> str:
    where = f"{_TO_INTERNET} AND protocol = {TCP} AND port NOT IN ({numbers(WEB)})"
    where += flows.exempt(scope.policy, "client")
    slots = f"""\
used AS (
  SELECT client, least(port, {DYNAMIC}) AS port, window_start AS slot, server, first_seen
  FROM contacts
  WHERE answered AND (sure OR ({_LATER}))
),
ports AS (
  SELECT port, slot - slot % {SECONDS_OF_DAY} AS day, count(DISTINCT slot) AS slots
  FROM used
  GROUP BY port, slot - slot % {SECONDS_OF_DAY}
)"""
    last = f"""\
SELECT
  used.client AS subject,
  used.port,
  count(DISTINCT used.slot) AS slots,
  max(ports.slots) AS slots_of_all_hosts,
  count(DISTINCT used.server) AS servers,
  from_unixtime(min(used.first_seen)) AS first_seen
FROM used
JOIN ports ON ports.port = used.port AND ports.day = used.slot - used.slot % {SECONDS_OF_DAY}
WHERE ports.slots >= {scope.thresholds.new_egress_slots} OR used.port IN ({numbers(GRAVE_PORTS)})
GROUP BY used.client, used.port
ORDER BY slots DESC, subject"""
    return with_steps([*flows.steps(scope), flows.contacts(where, ((SLOT, 0),)), slots], last)


def _database_egress(scope: Scope) -> str:
    where = f"(client_class = {OWN} OR server_class = {OWN}) AND server_class <> 'local' AND port > 0"
    ports = numbers(DATABASE_PORTS)
    databases = f"""\
databases AS (
  SELECT DISTINCT server
  FROM contacts
  WHERE server_class = {OWN} AND protocol = {TCP} AND port IN ({ports}) AND answered AND sure
)"""
    last = f"""\
SELECT
  contacts.client AS subject,
  contacts.server_class,
  contacts.protocol,
  contacts.port,
  count(DISTINCT contacts.server) AS servers,
  min(contacts.server) AS server,
  from_unixtime(min(contacts.first_seen)) AS first_seen
FROM contacts
JOIN databases ON databases.server = contacts.client
WHERE contacts.answered AND contacts.sure AND contacts.client_class = {OWN}
  AND NOT (contacts.server_class = {OWN} AND contacts.port IN ({ports}))\
{flows.exempt(scope.policy, "contacts.client")}
GROUP BY contacts.client, contacts.server_class, contacts.protocol, contacts.port
ORDER BY first_seen DESC, subject"""
    return with_steps([*flows.steps(scope), flows.contacts(where, DAYS), databases], last)


EGRESS_VOLUME: Final = Query(
    detector="egress-volume",
    needs=(*flows.NEEDED, "bytes", "end"),
    thresholds=("upload_megabytes",),
    leaves_out=(
        f"{BASELINE} The detector requires five times as much as is usual for the role, or new networks.",
        "Sliding windows: an hour begins at a full or half hour, a day at midnight UTC.",
        "Sampling: the query adds up all bytes, the detector estimates their sum.",
        *(ROLES, INITIATOR, *ALWAYS),
    ),
    text=_egress_volume,
)
UNEXPECTED_EGRESS: Final = Query(
    detector="unexpected-egress",
    needs=flows.NEEDED,
    leaves_out=(
        "Learned listeners: the query covers only the hosts in listener_only.",
        *(INITIATOR, *ALWAYS),
    ),
    text=_unexpected_egress,
)
NEW_EGRESS_PORT: Final = Query(
    detector="new-egress-port",
    needs=flows.NEEDED,
    thresholds=("new_egress_slots",),
    leaves_out=(
        f"{BASELINE} Instead, the query leaves out the ports of web traffic ({numbers(WEB)}).",
        f"{ROLES} 10-minute slots count for a port and all hosts of the table.",
        "Ports that a role used in fewer slots: the detector lists them in the digest.",
        *(INITIATOR, *ALWAYS),
    ),
    text=_new_egress_port,
)
DATABASE_EGRESS: Final = Query(
    detector="database-egress",
    needs=flows.NEEDED,
    leaves_out=(
        f"{BASELINE} The query lists each service that a database host connects to; the newest come first.",
        "Roles: a host counts as a database if it answered on the port of one within the period.",
        *(INITIATOR, *ALWAYS),
    ),
    text=_database_egress,
)
