"""Runs replays over an archive, in this process and in others, and continues them from a checkpoint."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable, Sequence
from contextlib import ExitStack

from flowwarden.bootstrap import replay_state
from flowwarden.bootstrap.replay import stack
from flowwarden.policy.policy import Policy
from flowwarden.replay.batches import DELIVERED_SECONDS, LogGroups
from flowwarden.replay.checkpoint.kinds import Unstorable, Unusable
from flowwarden.replay.interface_file import by_id
from flowwarden.replay.merged import Piece, merged
from flowwarden.replay.reorder import SLICE, Reorder
from flowwarden.replay.replay import NONE, Hooks, Replay
from flowwarden.replay.result import ReplayResult
from flowwarden_cli.commands.archive import Archive
from flowwarden_cli.commands.checkpoints import Checkpoints
from flowwarden_cli.commands.collecting import collected_rarely
from flowwarden_cli.commands.replay_given import Given, terms_of
from flowwarden_cli.commands.replay_workers import Assignment, Worker, WorkerEnded


def replayed(
    archive: Archive, given: Given, options: Namespace, checkpoints: Checkpoints | None = None
) -> list[ReplayResult]:
    """The results with each policy; the archive is read once.

    Raises:
        WorkerEnded: a process of the replay ended.
        SettingsError: the checkpoint does not fit.
        Unusable: its states are not those of such replays.
    """
    states = checkpoints.begin(terms_of(given, options), given.period) if checkpoints else None
    with ExitStack() as ending:
        replays = _started(given, options, states, ending)
        try:
            process(archive, replays, as_delivered=options.as_delivered, checkpoints=checkpoints)
        except (KeyboardInterrupt, WorkerEnded):
            if checkpoints:
                checkpoints.interrupted()
            raise
        return [each.result(archive.count, archive.failed, archive.unreadable) for each in replays]


def _started(
    given: Given, options: Namespace, states: Sequence[bytes] | None, ending: ExitStack
) -> list[Replay | Worker]:
    """The replay with each policy, with the states of the checkpoint, if there are any."""
    if states is not None and len(states) != len(given.policies):
        raise Unusable(f"it has {len(states)} states for {len(given.policies)} policies")
    # This process reads, and replays what is left.
    here = max(0, len(given.policies) - options.workers + 1)
    replays: list[Replay | Worker] = []
    for number, policy in enumerate(given.policies.values()):
        one = Assignment(
            policy=policy,
            log_group=given.log_group,
            known=given.known,
            as_delivered=options.as_delivered,
            observes=given.observes,
            state=None if states is None else states[number],
        )
        if number < here:
            replays.append(assigned(one))
        else:
            worker = Worker(one, assigned)
            ending.callback(worker.stop)
            replays.append(worker)
    return replays


def process(
    archive: Archive,
    replays: Sequence[Replay | Worker],
    *,
    as_delivered: bool,
    checkpoints: Checkpoints | None = None,
    pieces: Iterable[Piece] | None = None,
) -> None:
    """Process the archive, or these pieces instead, with each replay, to the end.

    Raises:
        SettingsError: the checkpoint does not fit.
    """
    read = merged(archive.sources()) if pieces is None else pieces
    slices = Reorder(DELIVERED_SECONDS if as_delivered else SLICE).slices(read)
    try:
        with collected_rarely() as collect:
            for one in slices:
                if checkpoints is None or not checkpoints.skips(one, is_partial=bool(archive.lost)):
                    for each in replays:
                        each.process(one)
                    # What an object or a log group lacks today may be there when the replay goes on.
                    if checkpoints is not None and not archive.lost:
                        checkpoints.processed(one, lambda: [state_of(each) for each in replays])
                collect()
    finally:
        archive.progress.wipe()
    if checkpoints is not None:
        checkpoints.all_read(is_partial=bool(archive.lost))
    for each in replays:
        each.finish()


def state_of(replay: Replay | Worker) -> bytes | str:
    """The state of a replay; why it cannot be stored, as text."""
    if isinstance(replay, Worker):
        return replay.state(state_of)
    try:
        return replay_state.captured(replay)
    except Unstorable as error:
        return str(error)


def assigned(one: Assignment) -> Replay:
    """The replay of an assignment. Raises Unusable: its state is not that of such a replay."""
    given = Given(log_group=one.log_group, layouts=(), policies={}, known=one.known, observes=one.observes)
    replay = new_replay(one.policy, given, as_delivered=one.as_delivered)
    if one.state is not None:
        replay_state.restore(replay, one.state)
    return replay


def new_replay(policy: Policy, given: Given, *, as_delivered: bool, hooks: Hooks = NONE) -> Replay:
    """A replay with a policy."""
    file, known = given.known, by_id(given.known.interfaces)
    built = stack(policy, known, file.region, file.account, as_delivered=as_delivered)
    groups = LogGroups(given.log_group, built.formats)
    return Replay(
        built, groups, file.account, as_delivered=as_delivered, observes=given.observes, hooks=hooks
    )
