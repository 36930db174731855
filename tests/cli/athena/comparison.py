"""Compares what a query names with what the monitor found in the same records.

The monitor found more, or the query names more, only because of an omission that the query documents. Each
difference must have such an explanation, which the network itself or the records of the day before prove.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache, cached_property
from pathlib import Path

from duckdb import DuckDBPyConnection
from msgspec import Struct
from msgspec.structs import replace

from benchmarks.evaluation.generator.model import ACCOUNT, REGION, Incident
from flowwarden.monitor.detectors import BY_NAME
from flowwarden.policy.detection import Thresholds
from flowwarden_cli.athena import ddl
from flowwarden_cli.athena.archive import Archive, Partitions, located
from flowwarden_cli.athena.period import SECONDS_OF_DAY, Period, of_day
from flowwarden_cli.athena.queries import QUERIES, text_of
from flowwarden_cli.athena.query import BASELINE, ROLES
from flowwarden_cli.athena.scope import Scope
from tests.cli.athena import duck
from tests.cli.athena.traffic import Found, Judged, write_files

BY_ROLE = frozenset({"egress-denied", "new-egress-port"})
"""Detectors whose findings are about a role; the query has a row for each host of it."""
GATEWAYS = frozenset({"alb", "nlb", "nat", "tgw"})
"""Roles of interfaces that connect on behalf of others."""
TIGHTENED = frozenset({"tightened-group", "tightened-egress"})
"""Incidents in which rules reject connections that worked before."""
WITHOUT_SYN = "stealth-scan"
"""The incident that is a scan without a SYN."""
FEW = Thresholds().service_blocked_clients
ONCE_IS_USUAL = Thresholds(lateral_hosts=1, scanner_destinations=1)
"""For the days before: the baseline knows what a role did, however few hosts took part."""

# Parts of the sentences that say what a query leaves out.
SYN, IN_DIGEST, DELETED = "without a SYN", "lists them in the digest", "interfaces that were deleted"
ELSEWHERE, OWN_RULES = "that host-probing or service-blocked reports", "that the clients' own rules reject"


def archive_of(partitions: Partitions, since: date) -> Archive:
    """The archive of the network."""
    plain = Archive(top="", partitions=partitions, since=since, accounts=(ACCOUNT,), regions=(REGION,))
    return located("s3://bucket/AWSLogs/", plain)


class Comparison(Struct, frozen=True, dict=True, eq=False):
    """The archive of a network in DuckDB, and what the monitor found in the records."""

    judged: Judged
    archive: Archive
    folder: Path

    @cached_property
    def connection(self) -> DuckDBPyConnection:
        """The table, as `flowwarden athena ddl` declares it, with the records of all files."""
        write_files(self.judged, self.archive, self.folder)
        connection = duck.connect()
        statement = ddl.statement(self.judged.network.layout, self.archive, "flow_logs")
        duck.load(connection, statement, self.folder)
        return connection

    def rows(self, detector: str, period: Period, thresholds: Thresholds) -> duck.Rows:
        """The result of a query."""
        scope = Scope(
            layout=self.judged.network.layout,
            policy=replace(self.judged.policy, thresholds=thresholds),
            table="flow_logs",
            partitions=self.archive.partitions,
            period=period,
            accounts=(ACCOUNT,),
            regions=(REGION,),
        )
        return duck.run(self.connection, text_of(detector, scope))

    @cached_property
    def results(self) -> dict[str, duck.Rows]:
        """The results of all queries about the judged day."""
        return {each: self.rows(each, of_day(self.judged.day), Thresholds()) for each in QUERIES}

    @cache  # noqa: B019  there are two of them, as long as the tests of a file last
    def usual_roles(self, detector: str) -> set[str]:
        """The roles of what a query names on the two days before."""
        begin = self.judged.network.judged_from
        rows = self.rows(detector, Period(begin - 2 * SECONDS_OF_DAY, begin), ONCE_IS_USUAL)
        return {role for name in rows.subjects if (role := self.judged.roles.get(name))}

    def found(self, detector: str) -> set[Found]:
        """What a detector of the monitor found."""
        return {each for each in self.judged.found if each.detector == detector}

    def names(self, detector: str) -> set[str]:
        """The subjects of a detector's findings, as the query names them."""
        return {name for each in self.found(detector) for name in self._names(each)}

    def missing(self, detector: str) -> set[str]:
        """What the monitor found and the query does not name, without what its omissions explain."""
        omitted = " ".join(QUERIES[detector].leaves_out)
        found = {each for each in self.found(detector) if each.pages or IN_DIGEST not in omitted}
        absent = {name for each in found for name in self._names(each)} - self.results[detector].subjects
        stealthy = {each.source for each in self.judged.labels if each.kind == WITHOUT_SYN}
        return absent - stealthy if SYN in omitted else absent

    def unexplained(self, detector: str) -> set[str]:
        """What the query names and the monitor did not find, without what its omissions explain."""
        more = self.results[detector].subjects - self.names(detector)
        return {name for name in more if not any(self._explanations(detector, name))}

    def _names(self, found: Found) -> frozenset[str]:
        """What the query names in place of a finding's subject."""
        if found.detector in BY_ROLE:
            return found.hosts
        if found.detector == "nacl-blocks-replies" and not found.subject.startswith("subnet-"):
            of = self.judged.interfaces.values()
            return frozenset(each.interface_id for each in of if each.private_ipv4 == found.subject)
        return frozenset({found.subject})

    def _explanations(self, detector: str, name: str) -> Iterator[bool]:
        omitted = " ".join(QUERIES[detector].leaves_out)
        kinds = self._incidents(name)
        yield bool(kinds & {*BY_NAME[detector].finds})  # the query is right, and the monitor missed it
        yield BASELINE in omitted and bool(kinds & TIGHTENED)
        yield ROLES in omitted and self.judged.roles.get(name) in GATEWAYS
        yield DELETED in omitted and name not in self.judged.at_end
        yield ELSEWHERE in omitted and name in self._reported("host-probing", "service-blocked", "scan")
        yield OWN_RULES in omitted and len(self._refused(name) - self._reported("egress-denied")) < FEW
        yield BASELINE in omitted and self.judged.roles.get(name) in self.usual_roles(detector)

    def _reported(self, *detectors: str) -> set[str]:
        """The hosts in findings of these detectors."""
        found = [each for each in self.judged.found if each.detector in detectors]
        return {name for each in found for name in (each.subject, *each.hosts)}

    def _refused(self, server: str) -> set[str]:
        """The hosts whose connections to a server were rejected."""
        rows = self.connection.execute(
            "SELECT DISTINCT srcaddr FROM flow_logs WHERE dstaddr = ? AND action = 'REJECT' AND start >= ?",
            [server, self.judged.network.judged_from],
        )
        return {name for (name,) in rows.fetchall()}

    def _incidents(self, name: str) -> set[str]:
        """The kinds of the incidents of which a host is an end."""
        return {each.kind for each in self.judged.labels if name in _ends(each)}


def _ends(label: Incident) -> tuple[str, ...]:
    return (label.source, label.interface_id, *label.targets)
