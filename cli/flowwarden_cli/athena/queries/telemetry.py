"""Queries about missing records: records-skipped, interface-silent."""

from __future__ import annotations

from typing import Final

from flowwarden.monitor.detectors.interface_silent import MISSED, SILENT_SLOTS, SLOTS_BEFORE
from flowwarden.records.model import GapKind
from flowwarden.state.heartbeats import SLOT
from flowwarden_cli.athena import flows
from flowwarden_cli.athena.queries.contacting import HOURS
from flowwarden_cli.athena.query import ALERTS, Query, with_steps
from flowwarden_cli.athena.scope import Scope
from flowwarden_cli.athena.sql import literal

_BEFORE: Final = (SILENT_SLOTS + SLOTS_BEFORE) * SLOT
"""Seconds before the period that show whether an interface wrote regularly."""


def _records_skipped(scope: Scope) -> str:
    skipped = f"""\
skipped AS (
  SELECT DISTINCT interface_id, "start" - "start" % 60 AS minute
  {scope.source()}
    AND log_status = {literal(GapKind.SKIPDATA)}
),
counts AS (
  SELECT interface_id, minute - (minute + shift) % span AS window_start, count(*) AS windows
  FROM skipped
  CROSS JOIN {flows.windows(HOURS)}
  GROUP BY interface_id, minute - (minute + shift) % span
)"""
    last = f"""\
SELECT
  interface_id AS subject,
  max(windows) AS windows,
  from_unixtime(min(window_start)) AS first_window
FROM counts
WHERE windows >= {scope.thresholds.skipped_windows}
GROUP BY interface_id
ORDER BY windows DESC, subject"""
    return with_steps([skipped], last)


def _interface_silent(scope: Scope) -> str:
    seen = f"""\
seen AS (
  SELECT DISTINCT interface_id, "start" - "start" % {SLOT} AS slot
  {scope.source(earlier=_BEFORE)}
    AND interface_id <> '-'
),
newest AS (
  SELECT max(slot) AS slot
  FROM seen
),
regular AS (
  SELECT
    interface_id,
    slot,
    lead(slot) OVER (PARTITION BY interface_id ORDER BY slot) AS next_slot,
    count(*) OVER (
      PARTITION BY interface_id ORDER BY slot
      RANGE BETWEEN {(SLOTS_BEFORE - 1) * SLOT} PRECEDING AND CURRENT ROW
    ) AS slots
  FROM seen
)"""
    last = f"""\
SELECT
  regular.interface_id AS subject,
  from_unixtime(regular.slot + {SLOT}) AS silent_since,
  from_unixtime(regular.next_slot) AS wrote_again
FROM regular
CROSS JOIN newest
WHERE regular.slots >= {SLOTS_BEFORE - MISSED}
  AND COALESCE(regular.next_slot, newest.slot + {SLOT}) - regular.slot > {(SILENT_SLOTS + 1) * SLOT}
ORDER BY silent_since DESC, subject"""
    return with_steps([seen], last)


RECORDS_SKIPPED: Final = Query(
    detector="records-skipped",
    needs=("interface-id", "start", "log-status"),
    thresholds=("skipped_windows",),
    leaves_out=("Sliding windows: an hour begins at a full or half hour.", ALERTS),
    text=_records_skipped,
)
INTERFACE_SILENT: Final = Query(
    detector="interface-silent",
    needs=("interface-id", "start"),
    leaves_out=(
        "EC2: interfaces that were deleted, detached or stopped appear too, also replaced instances.",
        "Late deliveries, and gaps of all interfaces: the detector reports nothing then.",
        "VPCs: each interface has a row of its own; the detector reports five or more together.",
        "Time: all interfaces of the table count as one log group.",
        ALERTS,
    ),
    text=_interface_silent,
)
