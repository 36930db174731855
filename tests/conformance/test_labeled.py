"""Real scans with published labels: the findings are about the scanner only."""

from __future__ import annotations

import pytest

from flowwarden.monitor.findings import Finding
from flowwarden.policy.detection import Thresholds
from flowwarden.records.columnar.reader import ColumnarReader
from flowwarden.records.log_format import LogFormat
from tests.monitor.batches import OVER_TIME, Container
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.fakes_state import MemoryEvidence
from tests.outside import LABELED

pytestmark = pytest.mark.skipif(
    not LABELED.is_dir(), reason=f"the folder of labeled records, {LABELED}, does not exist"
)


def found(name: str, size: int) -> list[Finding]:
    """The findings in a file, read in batches of `size` lines, of a role that is still being learned."""
    header, *lines = (LABELED / name).read_text().splitlines()
    reader = ColumnarReader([LogFormat.parse(header)])
    evidence = MemoryEvidence()
    findings = []
    for begin in range(0, len(lines), size):
        table = reader.read(lines[begin : begin + size])
        assert table.malformed == []
        known = FakeDirectory.of(interface(lines[0].split()[2]))
        container = Container(evidence=evidence, directory=known)
        view, state = container.begin(table, 1_700_828_300)
        findings += [each for one in OVER_TIME for each in one.detect(view, state, Thresholds())]
    return findings


@pytest.mark.parametrize("size", [7, 40, 1000])
def test_the_vertical_scan_is_found_for_any_batch_size(size: int) -> None:
    """Ports of 45.33.32.156, most of them closed."""
    assert {(each.detector, each.subject) for each in found("slips_vertical.log", size)} == {
        ("scan", "192.168.1.9")
    }  # fmt: skip


def test_the_scan_of_open_ports_is_found() -> None:
    """Twenty ports of 14.1.11.113, all of them answered: no failures, but an unusual number of ports."""
    assert {(each.detector, each.subject) for each in found("slips_test11_portscan.log", 1000)} == {
        ("scan", "10.8.0.69")
    }  # fmt: skip
