"""The queries on the records of a network in the stack's format, in folders of days, against the monitor."""

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

SAME = (
    *("brute-force", "internet-brute-force", "internet-to-private", "unexpected-egress", "ping-sweep"),
    *("nacl-blocks-replies", "records-skipped", "reject-spike", "internet-rejects", "egress-denied"),
)
"""Detectors that need little of what SQL cannot express: the queries name exactly what the monitor finds."""


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Comparison]:
    """The network, its archive and the monitor's findings."""
    network = judged("template")
    folder: Path = tmp_path_factory.mktemp("bucket")
    found = Comparison(network, archive_of(Partitions(), network.day), folder)
    yield found
    found.connection.close()


def test_the_declared_columns_have_the_values_that_the_reader_reads(compared: Comparison) -> None:
    """Of every record of some hours: numbers as numbers, absent numbers as NULL."""
    assert differing(compared) == []


@pytest.mark.parametrize("detector", QUERIES)
def test_the_monitor_finds_something_for_each_query(compared: Comparison, detector: str) -> None:
    """So that the comparison below is one."""
    assert compared.found(detector)


@pytest.mark.parametrize("detector", QUERIES)
def test_a_query_names_every_subject_of_the_monitor(compared: Comparison, detector: str) -> None:
    """Except those that an omission explains, which the query documents."""
    assert compared.missing(detector) == set()


@pytest.mark.parametrize("detector", QUERIES)
def test_what_only_a_query_names_is_explained(compared: Comparison, detector: str) -> None:
    """By an omission that the query documents, or by an incident that the monitor missed."""
    assert compared.unexplained(detector) == set()


@pytest.mark.parametrize("detector", SAME)
def test_these_queries_name_exactly_what_the_monitor_finds(compared: Comparison, detector: str) -> None:
    """No host without an incident among them."""
    assert compared.results[detector].subjects == compared.names(detector)


def test_most_hosts_are_named_by_few_queries(compared: Comparison) -> None:
    """A query that named every host would also name every subject of the monitor."""
    hosts = {each.private_ipv4 for each in compared.judged.interfaces.values()}
    named = {each: len(rows.subjects & hosts) / len(hosts) for each, rows in compared.results.items()}
    assert max(named.values()) < 0.4
    assert sum(each > 0.1 for each in named.values()) <= 2
