"""A replay that goes on from its stored state ends as one that was never interrupted, to the byte."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final

import msgspec
import pytest

from flowwarden.bootstrap.replay import stack
from flowwarden.bootstrap.replay_state import KINDS, STATE, captured, restore
from flowwarden.memory.claims import MemoryClaims
from flowwarden.monitor.caches.bounded import BoundedCache
from flowwarden.monitor.caches.interfaces import InterfaceCache
from flowwarden.policy.mutes import Mute
from flowwarden.policy.policy import Policy
from flowwarden.replay.batches import LogGroups
from flowwarden.replay.checkpoint import graph
from flowwarden.replay.checkpoint.kinds import Unusable
from flowwarden.replay.interfaces import LearnedInterfaces
from flowwarden.replay.recorder import Recorder
from flowwarden.replay.reorder import Slice
from flowwarden.replay.replay import Replay
from tests.replay.archives import BEGIN, LAYOUT, incidents, line, slices_of
from tests.replay.checkpoint.graphs import Comparison

ENDED: Final = Mute(detector="scan", reason="tested", until="2027-01-15T08:40:00Z")
POLICY: Final = Policy(mutes=(ENDED,), report_only=("host-probing",))
GAP: Final = f"2 111122223333 eni-1 - - - - - - - {BEGIN} {BEGIN + 600} - NODATA - -"


def lines(seed: int) -> list[str]:
    """Ordinary traffic, a scan, a host that probes, one from the internet, a gap, and what is no record."""
    noise = [
        line(BEGIN + 60 * each, "10.0.0.201", f"203.0.113.{each % 9}", "10.0.0.201", (4000 + each, 23),
             action="REJECT", direction="ingress")
        for each in range(150)
    ]  # fmt: skip
    return [*incidents(seed), *noise, GAP, "odd \udcff line"]


SLICES: Final = slices_of([lines(0)])


def new(policy: Policy = POLICY, *, as_delivered: bool = False) -> Replay:
    """A replay before its first slice."""
    built = stack(policy, {}, "eu-west-1", "111122223333", as_delivered=as_delivered)
    groups = LogGroups("archive", built.formats)
    return Replay(built, groups, "111122223333", as_delivered=as_delivered, observes=True)


def ended(replay: Replay, slices: Sequence[Slice]) -> bytes:
    """The result after these slices, as the document that the command prints."""
    for one in slices:
        replay.process(one)
    replay.finish()
    return msgspec.json.encode(replay.result(1, 0))


def again(replay: Replay, policy: Policy = POLICY, *, as_delivered: bool = False) -> Replay:
    """A new replay with the same state."""
    other = new(policy, as_delivered=as_delivered)
    restore(other, captured(replay))
    return other


@pytest.mark.parametrize("policy", [Policy(), POLICY])
def test_a_replay_that_is_interrupted_after_each_slice_ends_as_one_that_is_not(policy: Policy) -> None:
    """With incidents, digests, interfaces that are learned, and all that is observed."""
    replay = new(policy)
    for one in SLICES:
        replay = again(replay, policy)
        replay.process(one)
    assert ended(again(replay, policy), []) == ended(new(policy), SLICES)


def test_the_same_with_batches_as_delivered() -> None:
    """Whose slices are short."""
    slices = slices_of([lines(1)], as_delivered=True)[70:100]
    replay = new(as_delivered=True)
    for number, one in enumerate(slices):
        if number % 10 == 3:
            replay = again(replay, as_delivered=True)
        replay.process(one)
    assert ended(replay, []) == ended(new(as_delivered=True), slices)


@pytest.mark.parametrize("seed", range(2))
def test_a_replay_does_not_depend_on_the_one_that_goes_on(seed: int) -> None:
    """The state is a copy: the replay from which it was taken can go on, too."""
    slices = slices_of([lines(seed)])
    at = Random(seed).randrange(1, len(slices))  # noqa: S311
    first = new()
    for one in slices[:at]:
        first.process(one)
    second = again(first)
    assert ended(first, slices[at:]) == ended(second, slices[at:])


@pytest.fixture(scope="module")
def under_way() -> Replay:
    """A replay before its last slices, with incidents."""
    replay = new()
    for one in SLICES[:16]:
        replay.process(one)
    return replay


def differences(one: Replay, other: Replay) -> list[str]:
    """In which attributes two replays differ."""
    return [*Comparison().differences(one, other, "replay")]


def test_no_attribute_is_forgotten(under_way: Replay) -> None:
    """All objects of a replay that goes on equal those of the other, but for what follows from the rest."""
    assert differences(under_way, again(under_way)) == []


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (BoundedCache, "_entries"),
        (InterfaceCache, "_at"),
        (LearnedInterfaces, "_readers"),
        (MemoryClaims, "items"),
        (Recorder, "_incidents"),
        (Replay, "_minute"),
    ],
)
def test_an_attribute_that_is_forgotten_is_found(under_way: Replay, kind: type, name: str) -> None:
    """By the comparison of the test above."""
    fewer = {**STATE, kind: tuple(each for each in STATE[kind] if each != name)}
    other = new()
    graph.restore(other, graph.captured(under_way, fewer, KINDS), fewer, KINDS)
    assert any(name in each for each in differences(under_way, other))


def test_the_state_of_another_kind_of_replay_is_refused() -> None:
    """Such as one that observes nothing."""
    built = stack(Policy(), {})
    blind = Replay(built, LogGroups("archive", built.formats), "")
    with pytest.raises(Unusable, match="other objects"):
        restore(blind, captured(new()))


def test_log_formats_stay_shared() -> None:
    """The monitor reads the dictionary to which the replay adds."""
    replay = new()
    replay.process(SLICES[0])
    other = again(replay)
    assert other._stack.formats is other._groups._formats  # noqa: SLF001
    assert other._stack.formats == {"archive": [LAYOUT.to_log_format()]}  # noqa: SLF001
