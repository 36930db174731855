"""Which mutes end soon or have ended: their findings page again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from flowwarden.doctor.check import Check
from flowwarden.doctor.fact import Fact, Unread
from flowwarden.doctor.facts import EndingMute, Facts
from flowwarden.doctor.line import Found, Problem, Verdict
from flowwarden.notify.text import moment
from flowwarden.policy.last_good import PolicyInUse
from flowwarden.policy.made_mutes import id_of, matchers_of
from flowwarden.policy.mutes import Mute
from flowwarden.printable import as_json
from flowwarden.state.sets import DAY

SOON_DAYS: Final = 7

ENDING: Final = Problem(
    name="mute-ending",
    verdict=Verdict.WARNING,
    text=f"the mute of {{what}} ends within {SOON_DAYS} days, at {{end}}; then its findings page again",
    fix="if these findings are still expected, set a later `until` in the policy; if the mute was made by "
    "command, mute the incident again with flowwarden incidents mute",
)
ENDED: Final = Problem(
    name="mute-ended",
    verdict=Verdict.WARNING,
    text="the mute of {what} ended at {end}, so its findings page again",
    fix="remove the mute from `mutes` in the policy, or set a later `until`",
)


def _judge(_name: str, mute: EndingMute, facts: Facts) -> Iterator[Found]:
    end, now = mute.ends_at, facts.place.now
    if end is not None and end <= now:
        yield ENDED.of(what=mute.what, end=moment(end))
    elif end is not None and end <= now + SOON_DAYS * DAY:
        yield ENDING.of(what=mute.what, end=moment(end))


def _mutes(facts: Facts) -> Mapping[str, Fact[EndingMute]]:
    """The mutes of the policy and those made by command, each by its id."""
    policy = facts.policy.policy.mutes if isinstance(facts.policy, PolicyInUse) else ()
    found: dict[str, Fact[EndingMute]] = {id_of(each): _ending(each) for each in policy}
    if isinstance(facts.mutes, Unread):
        return {**found, "made by command": facts.mutes}
    return found | {each.id: _ending(each.mute) for each in facts.mutes or ()}


def _ending(mute: Mute) -> EndingMute:
    return EndingMute(what=as_json(matchers_of(mute)), ends_at=mute.end)


CHECK: Final = Check(
    name="mutes",
    verifies=f"no mute has ended, and none ends within {SOON_DAYS} days",
    sound=f"does not end within {SOON_DAYS} days",
    subjects=_mutes,
    judge=_judge,
    problems=(ENDING, ENDED),
)
