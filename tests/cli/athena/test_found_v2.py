"""The queries on AWS's default format, in Hive-compatible folders of hours, against the monitor."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flowwarden_cli.athena.archive import Partitions
from flowwarden_cli.athena.queries import QUERIES
from tests.cli.athena.comparison import Comparison, archive_of
from tests.cli.athena.traffic import judged
from tests.cli.athena.values import differing

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Comparison]:
    """The network, its archive and the monitor's findings."""
    network = judged("v2")
    folder: Path = tmp_path_factory.mktemp("bucket")
    found = Comparison(network, archive_of(Partitions(hive=True, hourly=True), network.day), folder)
    yield found
    found.connection.close()


def test_the_declared_columns_have_the_values_that_the_reader_reads(compared: Comparison) -> None:
    """Of every record of some hours."""
    assert differing(compared) == []


@pytest.mark.parametrize("detector", QUERIES)
def test_a_query_names_every_subject_of_the_monitor(compared: Comparison, detector: str) -> None:
    """Although flags, sides and subnets are missing."""
    assert compared.missing(detector) == set()


@pytest.mark.parametrize("detector", QUERIES)
def test_what_only_a_query_names_is_explained(compared: Comparison, detector: str) -> None:
    """By an omission that the query documents, or by an incident that the monitor missed."""
    assert compared.unexplained(detector) == set()


def test_the_monitor_finds_something_for_nearly_every_query(compared: Comparison) -> None:
    """Only a new port needs flags."""
    assert {each for each in QUERIES if not compared.found(each)} <= {"new-egress-port"}
