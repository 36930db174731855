"""records-skipped and interface-silent over hours, in several containers."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flowwarden.monitor.caches.heartbeats import (
    REPEAT_SECONDS,
    SPREAD,
    WRITE_AT,
    WRITES_AT_ONCE,
    GroupHeartbeats,
)
from flowwarden.monitor.detectors import interface_silent, records_skipped
from flowwarden.monitor.detectors.interface_silent import (
    LOST_AT_MOST,
    SILENT_SLOTS,
    TOGETHER,
    lost_by_chance,
)
from flowwarden.monitor.findings import InterfaceFinding
from flowwarden.records.columnar.reader import ColumnarReader
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT
from flowwarden.records.subscription import LogBatch
from flowwarden.state import heartbeats
from flowwarden.state.heartbeats import SLOT
from tests.examples import examples
from tests.monitor.batches import Container
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.fakes_state import MemoryEvidence

BEGIN = 1_764_000_000
WINDOW = 600
WINDOWS = 40
"""Six and a half hours."""
READER = ColumnarReader([DEFAULT_LOG_FORMAT])
IDS = [f"eni-{number:017x}" for number in range(0xA0, 0xAA)]


def written(interface_id: str, at: int, kind: str = "flow") -> tuple[LogBatch, int]:
    """The record of an interface for a window, and its arrival time."""
    window = f"{at} {at + WINDOW}"
    line = {
        "flow": f"2 1 {interface_id} 10.0.0.1 10.0.0.2 40000 443 6 5 500 {at + 5} {at + 50} ACCEPT OK",
        "NODATA": f"2 1 {interface_id} - - - - - - - {window} - NODATA",
        "SKIPDATA": f"2 1 {interface_id} - - - - - - - {window} - SKIPDATA",
        "nonsense": "what is this",
    }[kind]
    stream = f"{interface_id}-all"
    return LogBatch("1", "group", stream, (line,), f"{interface_id} {at}"), at + WINDOW + 240


def inspected(container: Container, batch: LogBatch, now: int) -> list[InterfaceFinding]:
    """The findings about missing records."""
    records = READER.read(batch.lines)
    found = [
        each
        for detector in (records_skipped.DETECTOR, interface_silent.DETECTOR)
        for each in container.detect(detector, records, now, batch)
    ]
    return [each for each in found if isinstance(each, InterfaceFinding)]


@dataclass
class Account:
    """Containers that share a table and an EC2 account."""

    evidence: MemoryEvidence = field(default_factory=MemoryEvidence)
    directory: FakeDirectory = field(default_factory=lambda: FakeDirectory.of(*map(interface, IDS)))
    reported: list[tuple[int, InterfaceFinding]] = field(default_factory=list)
    """The findings, with the time (Unix seconds) of each."""

    def container(self) -> Container:
        """A new container."""
        return Container(evidence=self.evidence, directory=self.directory)

    def deliver(self, container: Container, batch: LogBatch, now: int) -> None:
        """Process a batch."""
        self.reported += [(now, spot) for spot in inspected(container, batch, now)]

    @property
    def silent(self) -> set[str]:
        """The ids of the interfaces reported as silent."""
        return {
            each
            for _, spot in self.reported
            for each in spot.interfaces
            if spot.detector == "interface-silent"
        }


def fleet(silent_from: int, count: int = 1, kind: str = "flow") -> list[tuple[LogBatch, int]]:
    """The batches of all interfaces, in order of arrival; the first ones stop writing at a window."""
    return [
        written(interface_id, BEGIN + number * WINDOW, kind)
        for number in range(WINDOWS)
        for place, interface_id in enumerate(IDS)
        if place >= count or number < silent_from
    ]


def test_a_silent_interface_is_reported_within_three_hours() -> None:
    """By batches of other interfaces."""
    account = Account()
    container = account.container()
    for batch, now in fleet(silent_from=20):
        account.deliver(container, batch, now)
    assert account.silent == {IDS[0]}
    since = BEGIN + 20 * WINDOW
    assert since + SILENT_SLOTS * SLOT < account.reported[0][0] < since + 3 * 3600


def test_an_interface_that_writes_to_another_log_group_is_not_silent() -> None:
    """A replaced flow log writes to another log group, while others do not change."""
    account = Account()
    container = account.container()
    for batch, now in fleet(silent_from=WINDOWS):
        moved = batch.log_stream.removesuffix("-all") in IDS[:6] and now > BEGIN + 20 * WINDOW
        where = replace(batch, log_group="group-1a2b3c4d") if moved else batch
        account.deliver(container, where, now)
    assert account.reported == []


def test_nothing_is_reported_while_all_interfaces_write() -> None:
    """Flows and NODATA are both records."""
    for kind in ("flow", "NODATA", "nonsense"):
        account = Account()
        container = account.container()
        for batch, now in fleet(silent_from=WINDOWS, kind=kind):
            account.deliver(container, batch, now)
        assert account.reported == []


def test_deliveries_an_hour_late_are_not_silence() -> None:
    """All deliveries of one interface."""
    account = Account()
    container = account.container()
    late = [(batch, now + 3600 * (batch.log_stream == f"{IDS[0]}-all")) for batch, now in fleet(WINDOWS)]
    for batch, now in sorted(late, key=lambda each: each[1]):
        account.deliver(container, batch, now)
    assert account.silent == set()


def test_deleted_and_stopped_interfaces_are_not_reported() -> None:
    """Deployments replace instances."""
    account = Account()
    del account.directory.known[IDS[0]]
    account.directory.known[IDS[1]] = replace(account.directory.known[IDS[1]], active=False)
    container = account.container()
    for batch, now in fleet(silent_from=20, count=3):
        account.deliver(container, batch, now)
    assert account.silent == {IDS[2]}


def test_many_interfaces_of_a_vpc_are_one_finding() -> None:
    """Its flow log is gone."""
    account = Account()
    container = account.container()
    for batch, now in fleet(silent_from=20, count=TOGETHER):
        account.deliver(container, batch, now)
    assert {spot.subject for _, spot in account.reported} == {"vpc-1"}
    assert len(account.silent) == TOGETHER


def test_while_ec2_refuses_nothing_is_reported() -> None:
    """The interface may be deleted."""
    account = Account()
    account.directory.refuses = True
    container = account.container()
    for batch, now in fleet(silent_from=20):
        account.deliver(container, batch, now)
    assert account.reported == []


@examples(0.15)
@given(st.integers(1, 4), st.randoms(use_true_random=False))
def test_order_repetition_and_containers_change_nothing(containers: int, random: Random) -> None:
    """Late, repeated, shuffled, and by several containers."""
    account = Account()
    those = [account.container() for _ in range(containers)]
    deliveries = [
        (batch, now + random.randrange(900))
        for batch, now in fleet(silent_from=20)
        for _ in range(random.choice((1, 1, 1, 2)))
    ]
    for batch, now in sorted(deliveries, key=lambda each: each[1]):
        account.deliver(random.choice(those), batch, now)
    assert account.silent == {IDS[0]}


def test_silence_is_found_if_every_batch_starts_a_container() -> None:
    """From the table alone, in the same time."""
    account = Account()
    for batch, now in fleet(silent_from=20):
        account.deliver(account.container(), batch, now)
    assert account.silent == {IDS[0]}
    since = BEGIN + 20 * WINDOW
    assert since + SILENT_SLOTS * SLOT < account.reported[0][0] < since + 3 * 3600


@examples(0.15)
@given(st.integers(1, 8), st.sampled_from([0.02, 0.1, 0.3, 0.6, 1]), st.integers(0, 999))
def test_any_assignment_of_batches_to_containers_finds_the_silence(
    containers: int, cold: float, seed: int
) -> None:
    """Some start a container, and the memory of another is lost; no other interface is reported."""
    account, random = Account(), Random(seed)  # noqa: S311 - not for cryptography
    those = [account.container() for _ in range(containers)]
    for batch, now in fleet(silent_from=20):
        place = random.randrange(containers)
        if random.random() < cold:
            those[place] = account.container()
        account.deliver(those[place], batch, now)
    assert account.silent == {IDS[0]}


@pytest.mark.matrix(5)
@pytest.mark.parametrize(("total", "silent"), [(3, 2), (4, 3), (10, 5), (10, 8), (10, 9), (20, 17), (45, 40)])
@pytest.mark.parametrize("containers", [0, 3])
def test_the_silence_of_most_of_a_log_group_is_found(total: int, silent: int, containers: int) -> None:
    """The flow log of the larger VPC was deleted: the fewer go on, the more urgent it is."""
    ids = [f"eni-{number:017x}" for number in range(0xA0, 0xA0 + total)]
    account, random = Account(directory=FakeDirectory.of(*map(interface, ids))), Random(1)  # noqa: S311 - not for cryptography
    those = [account.container() for _ in range(containers)]
    for number in range(36):
        for each in ids[silent if number >= 20 else 0 :]:
            place = random.choice(those) if those else account.container()
            account.deliver(place, *written(each, BEGIN + number * WINDOW))
    found = {name for _, finding in account.reported for name in finding.interfaces}
    assert found == {*ids[:silent]}


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6])
def test_what_containers_did_not_store_is_not_silence(share: float) -> None:
    """A part of the stored records is lost; the containers are new."""
    account, random = Account(), Random(7)  # noqa: S311 - not for cryptography
    for batch, now in fleet(silent_from=WINDOWS):
        before = dict(account.evidence.items)
        account.deliver(account.container(), batch, now)
        if random.random() < share:
            account.evidence.items = before
    assert account.silent == set()


@examples(0.1)
@given(
    hours=st.integers(1, 6),
    containers=st.integers(0, 4),
    is_silent=st.booleans(),
    in_order=st.booleans(),
    seed=st.integers(0, 999),
)
def test_held_deliveries_are_not_silence(
    hours: int, containers: int, *, is_silent: bool, in_order: bool, seed: int
) -> None:
    """All deliveries are held, then arrive within minutes. Without containers, each one starts one."""
    account, random = Account(), Random(seed)  # noqa: S311 - not for cryptography
    those = [account.container() for _ in range(containers)]
    begin = BEGIN + 19 * WINDOW
    end = begin + hours * 3600
    deliveries = []
    for batch, now in fleet(silent_from=20 if is_silent else WINDOWS):
        wait = (now - begin) // 40 if in_order else 0
        at = end + wait + random.randrange(600) if begin < now < end else now + random.randrange(300)
        deliveries.append((batch, at))
    for batch, now in sorted(deliveries, key=lambda each: each[1]):
        account.deliver(random.choice(those) if those else account.container(), batch, now)
    held = account.silent - ({IDS[0]} if is_silent else set())
    assert len(held) <= 1, "one, by chance, in one of some hundred runs"


@pytest.mark.matrix(3)
@pytest.mark.parametrize("seed", range(8))
def test_no_interface_is_reported_after_an_outage_of_three_hours(seed: int) -> None:
    """Three containers receive what was held; before, each of these runs reported some."""
    account, random = Account(), Random(seed)  # noqa: S311 - not for cryptography
    those = [account.container() for _ in range(3)]
    begin, end = BEGIN + 15 * WINDOW, BEGIN + 33 * WINDOW
    late = [(batch, end if begin < now < end else now) for batch, now in fleet(silent_from=WINDOWS)]
    for batch, now in sorted(
        ((batch, at + random.randrange(600)) for batch, at in late), key=lambda each: each[1]
    ):
        account.deliver(random.choice(those), batch, now)
    assert account.reported == []


@pytest.mark.matrix(1)
@pytest.mark.parametrize("containers", [0, 3])
def test_deleted_interfaces_are_no_gaps(containers: int) -> None:
    """Half of the interfaces end, one after the other; another one falls silent and is found."""
    ids = [f"eni-{number:017x}" for number in range(0xA0, 0xA0 + 100)]
    account, random = Account(directory=FakeDirectory.of(*map(interface, ids))), Random(1)  # noqa: S311 - not for cryptography
    those = [account.container() for _ in range(containers)]
    ends = {each: random.randrange(8, 2 * WINDOWS) for each in ids} | {ids[0]: 20}
    for number in range(36):
        for each in ids:
            if number == ends[each] and each != ids[0]:
                del account.directory.known[each]
            if number < ends[each]:
                place = random.choice(those) if those else account.container()
                account.deliver(place, *written(each, BEGIN + number * WINDOW))
    assert account.silent == {ids[0]}


def test_gaps_in_the_table_are_the_measure_of_what_is_missing_by_chance() -> None:
    """Without gaps none is missing, however few interfaces there are; with many gaps, some are."""
    slots = interface_silent.slots_asked(100)
    for count in (2, 10, 1000):
        complete = {each: frozenset(range(count)) for each in slots}
        assert lost_by_chance(100, complete) <= LOST_AT_MOST
    missing_most = {each: frozenset(range(10 if each >= 97 else 1000)) for each in slots}
    assert lost_by_chance(100, missing_most) == 0, "without gaps, as many can be silent as there are"
    nothing = {each: frozenset(range(0 if each >= 97 else 10)) for each in slots}
    assert lost_by_chance(100, nothing) > LOST_AT_MOST, "none shows whether there are gaps"
    gaps = complete | {99: frozenset(range(500)), 98: frozenset(range(300, 1000))}
    assert lost_by_chance(100, gaps) > LOST_AT_MOST


def beats(account: Account) -> list[str]:
    """The keys of the heartbeats that were written, in their order."""
    return [key for key in account.evidence.written if key.startswith("heartbeat#")]


def test_a_container_writes_once_per_slot() -> None:
    """It does not repeat what it has written; one more write for each slot of the watermark."""
    account = Account()
    container = account.container()
    deliveries = fleet(silent_from=WINDOWS)
    for batch, now in deliveries:
        account.deliver(container, batch, now)
    slots = 1 + (deliveries[-1][1] - deliveries[0][1]) // SLOT
    assert slots - 1 <= len({key.split("#")[1] for key in beats(account)}) <= slots
    assert len(beats(account)) <= WRITES_AT_ONCE + slots
    assert account.evidence.writes <= len(beats(account)) + slots


@pytest.mark.parametrize("offset", [0, 119, SPREAD - 1])
def test_each_slot_is_written_before_the_next_one_begins(offset: int) -> None:
    """With all interfaces that write in its first window, so that the slots before one are complete."""
    account = Account()
    container = account.container()
    for batch, now in fleet(silent_from=WINDOWS):
        at = now + offset
        begin = at // SLOT * SLOT
        account.deliver(container, batch, at)
        if at - begin >= WRITE_AT + SPREAD and at > BEGIN + 3600:
            wanted = heartbeats.keys([begin // SLOT])
            (wrote,) = heartbeats.seen(wanted, account.evidence.read([*wanted]), "group").values()
            assert len(wrote) == len(IDS)


@given(now=st.integers(BEGIN, BEGIN + SLOT), fails=st.booleans())
def test_a_write_is_due_once_in_each_slot_and_a_failed_one_minutes_later(now: int, *, fails: bool) -> None:
    """The first ones are due at once; the containers of a log group do not write at the same second."""
    group = GroupHeartbeats(heartbeats.slot_of(now))
    for _ in range(WRITES_AT_ONCE):
        assert group.is_due(now)
        group.mark_written(now, complete=True)
    due = next(each for each in range(now, now + 2 * SLOT) if group.is_due(each))
    assert WRITE_AT <= due % SLOT < WRITE_AT + SPREAD
    group.mark_written(due, complete=not fails)
    again = next(each for each in range(due, due + 2 * SLOT) if group.is_due(each))
    assert (
        again == due + REPEAT_SECONDS if fails else heartbeats.slot_of(again) == heartbeats.slot_of(due) + 1
    )


def test_a_failed_write_is_retried() -> None:
    """Nothing raises, and no interface counts as silent."""
    account = Account()
    container = account.container()
    for batch, now in fleet(silent_from=WINDOWS):
        account.evidence.is_away = BEGIN + 8 * WINDOW < now < BEGIN + 14 * WINDOW
        account.deliver(container, batch, now)
    assert account.reported == []
    slots = {key.split("#")[1] for key in beats(account)}
    assert len(slots) >= (WINDOWS - 2) * WINDOW // SLOT


def test_a_check_costs_one_read_in_half_an_hour() -> None:
    """EC2 is queried only about interfaces without records."""
    account = Account()
    container = account.container()
    for batch, now in fleet(silent_from=WINDOWS):
        account.deliver(container, batch, now)
    assert account.evidence.reads <= 1 + WINDOWS * WINDOW // SLOT
    assert account.directory.asked == []


def test_repeatedly_skipped_records_are_reported() -> None:
    """In batches of several containers; a single skipped window is not."""
    account = Account()
    for number in range(2):
        account.deliver(account.container(), *written(IDS[0], BEGIN + number * WINDOW, "SKIPDATA"))
    assert account.reported == []
    account.deliver(account.container(), *written(IDS[0], BEGIN + 2 * WINDOW, "SKIPDATA"))
    assert [spot.detector for _, spot in account.reported] == ["records-skipped"]


def test_skipped_windows_are_written_up_to_the_limit() -> None:
    """Every batch reports, so that a retry reports what a failed batch did not send."""
    account = Account()
    container = account.container()
    for number in range(12):
        account.deliver(container, *written(IDS[0], BEGIN + number * 300, "SKIPDATA"))
    assert len(account.reported) == 10
    assert sum(key.startswith("skipped#") for key in account.evidence.written) <= 6


def test_without_the_table_each_batch_is_evaluated_alone() -> None:
    """Nothing raises."""
    account = Account()
    account.evidence.is_away = True
    container = account.container()
    for number in range(3):
        batch, now = written(IDS[0], BEGIN + number * WINDOW, "SKIPDATA")
        account.deliver(container, batch, now)
    assert account.reported == []
    lines = tuple(written(IDS[0], BEGIN + each * WINDOW, "SKIPDATA")[0].lines[0] for each in range(3))
    account.deliver(container, LogBatch("1", "group", "s", lines, "b"), BEGIN + 4000)
    assert [spot.detector for _, spot in account.reported] == ["records-skipped"]


def test_interfaces_that_a_gap_made_irregular_show_the_gap() -> None:
    """The hold began before the slots of silence, so few interfaces wrote in all slots before them."""
    everyone = frozenset(range(10))
    regular = dict.fromkeys(range(-9, -5), everyone)
    held = {-5: {2, 6, 8}, -4: {5, 6, 7, 8}, -3: {2, 4, 8}, -2: {2, 3, 4}, -1: {2, 3}, 0: {1, 9}}
    seen = regular | {slot: frozenset(numbers) for slot, numbers in held.items()}
    assert interface_silent.silent(0, seen) == {5, 6, 7}
    assert lost_by_chance(0, seen) > LOST_AT_MOST
    in_order = regular | {slot: everyone - {5, 6, 7} for slot in range(-3, 1)} | {-5: everyone, -4: everyone}
    assert interface_silent.silent(0, in_order) == {5, 6, 7}
    assert lost_by_chance(0, in_order) == 0
