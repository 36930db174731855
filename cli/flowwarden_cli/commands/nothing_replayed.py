"""Why a replay has no result."""

from __future__ import annotations

from flowwarden.replay.result import ReplayResult
from flowwarden_cli.commands.archive import Archive


def why_nothing(result: ReplayResult, archive: Archive) -> str:
    """Why there is no result; '' if there is one."""
    records = result.records
    if records.malformed and not records.flows and not records.gaps:
        return (
            "no line is a flow or a gap, so nothing was replayed; if they have a custom format, pass it: "
            "--log-format '${version} ${…}'"
        )
    if records.flows and result.begin is None:
        return (
            "no record has a time, so nothing can be replayed: the log format has neither ${end} nor ${start}"
        )
    if not archive.count:
        return "no files; names that begin with . or _ are skipped"
    return "" if records.all else "nothing was read"
