"""The interfaces of a batch, and their VPCs."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from flowwarden.monitor.traffic.interface_index import TOGETHER, InterfaceIndex
from flowwarden.records.columnar.flow_table import FlowTable, columns_of
from flowwarden.records.columnar.string_pool import StringPool
from flowwarden.records.columnar.tokenizer import Integers
from flowwarden.records.model import Flow
from tests.flows import flow
from tests.monitor.fakes_interfaces import interface


@pytest.mark.parametrize(
    ("described", "named", "expected"),
    [
        (["vpc-1", "vpc-2", "vpc-1"], [None, None, None], "aba"),
        (["", "", ""], ["vpc-1", "vpc-2", "vpc-1"], "aba"),
        (["vpc-1", "", ""], [None, "vpc-2", "vpc-1"], "aba"),
        (["vpc-1", "", ""], [None, "-", None], "aaa"),
        (["vpc-1", "vpc-2", ""], [None, None, "-"], "abc"),
        (["", "", ""], [None, "-", "unknown"], "aaa"),
    ],
    ids=["described", "named", "both", "one known", "two known", "none known"],
)
def test_each_row_has_the_vpc_of_its_interface(
    described: Sequence[str], named: Sequence[str | None], expected: str
) -> None:
    """An unknown one is the only known one of the batch, or else one of its own."""
    names = ["eni-1", "eni-2", "eni-3"]
    known = {
        name: replace(interface(name), vpc_id=vpc) for name, vpc in zip(names, described, strict=True) if vpc
    }
    flows = [
        flow("10.0.0.1:1", "10.0.0.2:2", interface_id=name, vpc_id=vpc)
        for name, vpc in zip(names, named, strict=True)
    ]
    for order in ([0, 1, 2], [2, 1, 0, 2], [1, 0, 0, 2]):
        index = InterfaceIndex(FlowTable.of([flows[at] for at in order]))
        vpcs = index.vpcs(known).tolist()
        for at, vpc in zip(order, vpcs, strict=True):
            same = {other for other, each in zip(order, vpcs, strict=True) if each == vpc}
            assert same == {other for other in order if expected[other] == expected[at]}


def test_batches_of_one_interface_or_none_have_one_vpc() -> None:
    """Most batches have one."""
    for flows in ([], [flow("10.0.0.1:1", "10.0.0.2:2", interface_id=None, vpc_id="vpc-1")] * 3):
        assert InterfaceIndex(FlowTable.of(flows)).vpcs({}).tolist() == [0] * len(flows)


def test_a_loud_batch_of_many_vpcs_creates_few_flows_at_once() -> None:
    """A flow takes a kilobyte, and a delivery can contain tens of thousands of interfaces."""
    flows = [
        flow("10.0.0.1:41000", "10.0.0.2:443", interface_id=f"eni-{number:x}", vpc_id=f"vpc-{number:x}")
        for number in range(2 * TOGETHER + 1)
    ]
    asked: list[int] = []

    def create(rows: Integers) -> Sequence[Flow]:
        asked.append(len(rows))
        return [flows[row] for row in rows]

    vocabulary = StringPool()
    table = FlowTable(columns_of(flows, vocabulary), vocabulary, create)
    vpcs = InterfaceIndex(table).vpcs({})
    assert len(set(vpcs.tolist())) == len(flows)
    assert asked == [TOGETHER, TOGETHER, 1]
