"""Installations in memory, for `flowwarden doctor`."""

from __future__ import annotations

from msgspec.structs import replace

from flowwarden.doctor.fact import Unread
from flowwarden.doctor.facts import Facts
from flowwarden.errors import CallRefused, NotDeployed
from flowwarden.removal.plan import DeleteFlowLog
from tests.doctor.broken import STATES
from tests.doctor.sound import sound
from tests.removal.fakes import MemoryAccount

DENIED = Unread(
    "GetMetricData: AccessDenied: give your credentials the permissions that docs/command-line.md lists"
)


def broken() -> Facts:
    """Problems of several checks, and a text of AWS that tries to drive the terminal."""
    facts = sound()
    for name in (
        "pages-unsubscribed",
        "queue-filled",
        "records-missing",
        "flow-log-failed",
        "table-without-recovery",
    ):
        facts = STATES[name][0](facts)
    return replace(facts, stack=replace(facts.stack, status="ROLLBACK_COMPLETE", reason="no\n\x1b[2Jok"))


def deleted() -> Facts:
    """A stack whose deletion failed: only its topics are left."""
    facts = sound()
    left = replace(
        facts.stack, status="DELETE_FAILED", reason="The following resource(s) failed to delete: [x]"
    )
    return Facts(place=facts.place, stack=left, topics=facts.topics)


def denied_parts() -> Facts:
    """An installation of which the metrics and the trails cannot be read."""
    facts = sound()
    return replace(facts, runs=dict.fromkeys(facts.runs, DENIED), trails=DENIED)


def refusing() -> MemoryAccount:
    """An account that refuses the deletion of a flow log."""
    return MemoryAccount(faults={DeleteFlowLog: CallRefused("DeleteFlowLogs: AccessDenied")})


def removed_before() -> MemoryAccount:
    """Find no stack, because it was removed before."""
    raise NotDeployed("cannot read stack flow-warden in eu-west-1: it does not exist")


def absent() -> Facts:
    """Find no stack."""
    raise NotDeployed("cannot read stack flow-warden in eu-west-1: it does not exist")
