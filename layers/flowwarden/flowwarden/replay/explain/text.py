"""An explanation as text: the verdict first, then what it rests on. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from flowwarden.network.roles import UNKNOWN
from flowwarden.notify.text import counted, moment, plural, repeat_count
from flowwarden.printable import as_json
from flowwarden.replay.explain.model import (
    Amount,
    BaselinePart,
    Context,
    End,
    Explanation,
    IncidentExplanation,
    InitiatorPart,
    Judgment,
    RecordExplanation,
    Traffic,
)
from flowwarden.replay.explain.verdict import described
from flowwarden.replay.timed import EARLIEST

_CONTEXTS: Final = {
    Context.ADDED: "The archive does not contain it; it was added at its time.",
    Context.ALONE: "Explained alone. With an archive (PATH), the detectors also see what came before it.",
}
_LABEL: Final = 10
"""Characters of the column with the labels."""


def summary(explanation: Explanation) -> str:
    """The explanation."""
    if explanation.record is not None:
        return "\n".join(_record(explanation.record))
    return "\n".join(_incident(explanation.incident)) if explanation.incident is not None else ""


def _row(label: str, text: str) -> str:
    return f"{label:<{_LABEL}} {text}"


def _record(one: RecordExplanation) -> Iterator[str]:
    yield one.verdict
    yield from (f"SUPPRESSED because of {each}" for each in _reasons(one.judgments))
    yield ""
    yield _row("Record", one.where)
    yield _row("", one.line)
    if note := _CONTEXTS.get(one.context):
        yield _row("", note)
    if one.reason:
        yield _row(one.kind.capitalize(), one.reason)
    if one.at is not None and one.at >= EARLIEST:
        yield _row("Processed", f"at {moment(one.at)}, in a batch of {plural(one.batch, 'flow')}")
    if one.traffic is not None:
        yield from _traffic(one.traffic)
    elif not one.flagged:
        return
    yield ""
    yield "Detectors"
    for each in sorted(one.judgments, key=lambda each: not each.flagged):
        if each.flagged or each.measured:
            yield from _judgment(each)
    if one.traffic is not None:
        yield from _others(one.judgments)


def _reasons(said: Iterable[Judgment]) -> Iterator[str]:
    for each in said:
        if each.suppressed_by:
            what, colon, why = each.suppressed_by.partition(": ")
            yield f"{what} ({each.detector}){colon}{why}"


def _traffic(one: Traffic) -> Iterator[str]:
    yield _row("Flow", f"{one.source} -> {one.destination} {one.protocol} {one.action}".rstrip())
    amounts = f"{counted(one.packets, 'packet')}, {counted(one.bytes, 'byte')}"
    times = [moment(each) for each in (one.start, one.end) if each is not None]
    yield _row("", "; ".join([amounts, *([" to ".join(times)] if times else [])]))
    yield _row("Interface", one.interface or "none in the record")
    yield _row("Side", f"{one.side}: {one.side_basis}")
    yield from _initiator(one.initiator)
    yield _row("Client", _end(one.client))
    yield _row("Server", f"{_end(one.server)}; service {one.service}")
    if one.baseline is not None:
        yield _row("Baseline", _baseline(one.baseline))


def _initiator(one: InitiatorPart) -> Iterator[str]:
    known = one.initiator if one.initiator == "unknown" else f"the {one.initiator}"
    yield _row("Initiator", f"{known}, confidence {one.confidence:.0%}: {one.basis}")
    for number, step in enumerate(one.steps, 1):
        yield _row("", f"{number}. {step.rule}: {step.says if step.decides else 'does not decide'}")


def _end(one: End) -> str:
    port = "" if one.port is None else f", port {one.port}"
    if not one.role:
        return f"{one.address}{port}; {one.peer_class}"
    learned = f"learned on {plural(one.days_learned, 'day')}"
    state = f"still being learned ({learned})" if one.learning else learned
    interface = one.interface or "interface not known"
    role = "role unknown" if one.role == UNKNOWN else f"role {one.role}, {state}"
    return f"{one.address}{port}; {one.peer_class}, {interface}; {role}"


def _baseline(one: BaselinePart) -> str:
    if one.role == UNKNOWN:
        return f"{one.connection}: the role of the interface is not known, so nothing can be compared"
    usual = "usual" if one.usual else "not usual"
    return (
        f"{one.connection}: {usual} for role {one.role}; seen on {plural(one.days_seen, 'earlier day')}, "
        f"usual from {one.days_needed}"
    )


def _judgment(one: Judgment) -> Iterator[str]:
    if one.flagged:
        yield f"  FLAGGED by {one.detector}, {one.severity}: {one.summary}"
        yield from (f"      {each}" for each in _details(one))
    else:
        yield f"  not by {one.detector}: {one.why_not or _by_amounts(one.measured)}"
    yield from (f"      {_amount(each)}" for each in one.measured)


def _by_amounts(measured: Iterable[Amount]) -> str:
    unmet = any(each.needed and not each.reached for each in measured)
    return "a condition is not met" if unmet else "the limit is not reached"


def _others(said: Iterable[Judgment]) -> Iterator[str]:
    """The detectors that measured nothing, by the reason."""
    reasons: defaultdict[str, list[str]] = defaultdict(list)
    for each in said:
        if not each.flagged and not each.measured:
            reasons[each.why_not].append(each.detector)
    for why, names in reasons.items():
        yield f"  not by {', '.join(names)}: {why}"


def _details(one: Judgment) -> Iterator[str]:
    if one.because:
        yield f"Because   {one.because}"
    if one.incident:
        yield f"Incident  {one.incident}"
    yield f"Outcome   {one.suppressed_by or one.outcome.value}"
    if one.mute:
        yield f"Mute      {as_json(one.mute)}"


def _amount(one: Amount) -> str:
    threshold = f", threshold {one.threshold}" if one.threshold else ""
    done = "met" if one.needed else "reached"
    state = done if one.reached else f"not {done}"
    return f"{state:<11}  {described(one)}{threshold}"


def _incident(one: IncidentExplanation) -> Iterator[str]:
    yield f"[{one.severity.upper()}] {one.summary}"
    yield ""
    yield _row("Incident", f"{one.incident}, to {one.route}")
    yield _row("Subject", one.subject)
    yield _row(
        "Found",
        f"in {one.batches:,} batch{'' if one.batches == 1 else 'es'}; {repeat_count(one.repeats)} suppressed",
    )
    for number, each in enumerate(one.timeline):
        yield _row("" if number else "Sent", f"{moment(each.at)}  {each.event}: {each.summary}")
    for found in one.evidence:
        yield ""
        yield f"{found.judgment.detector}, first found at {moment(found.at)}"
        yield from _judgment(found.judgment)
        if found.example is not None:
            yield "  A flow behind it"
            yield from (f"    {each}" for each in _traffic(found.example))
