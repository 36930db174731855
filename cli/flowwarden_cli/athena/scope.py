"""What a query is about: table, log format, policy, period, accounts and Regions."""

from __future__ import annotations

from msgspec import Struct

from flowwarden.policy.detection import Thresholds
from flowwarden.policy.policy import Policy
from flowwarden.records.fields import BY_NAME
from flowwarden.records.log_format import LogFormat
from flowwarden_cli.athena import ddl
from flowwarden_cli.athena.archive import ACCOUNT, REGION, Partitions, check_accounts, check_regions
from flowwarden_cli.athena.period import Period, in_partitions
from flowwarden_cli.athena.sql import literals, name, table_parts


class Scope(Struct, frozen=True, kw_only=True):
    """What a query is about."""

    layout: LogFormat
    policy: Policy
    table: str
    partitions: Partitions
    period: Period
    accounts: tuple[str, ...] = ()
    """Empty for all accounts of the table; the same for `regions`."""
    regions: tuple[str, ...] = ()

    @property
    def thresholds(self) -> Thresholds:
        """The thresholds of the policy."""
        return self.policy.thresholds

    def has(self, field: str) -> bool:
        """Whether the log format has the field."""
        return field in self.layout.names

    def column(self, field: str) -> str:
        """The column of a field; NULL of its type if the log format lacks it."""
        known = BY_NAME[field]
        if self.has(field):
            return name(ddl.column(known))
        kind = ddl.column_type(known).replace("string", "varchar")
        return f"CAST(NULL AS {kind})"

    def source(self, earlier: int = 0) -> str:
        """The table, and the condition that limits the query to the partitions and the time of the period.

        Raises:
            NotExpressible: the name of the table, an account or a Region is not valid.
        """
        check_accounts(self.accounts)
        check_regions(self.regions)
        period = self.period.earlier(earlier)
        conditions = [
            f"{name(column)} IN ({literals(values)})"
            for column, values in ((ACCOUNT, self.accounts), (REGION, self.regions))
            if values
        ]
        conditions.append(in_partitions(period, self.partitions))
        conditions.append(f'"start" >= {period.begin} AND "start" < {period.end}')
        table = ".".join(map(name, table_parts(self.table)))
        return f"FROM {table}\n  WHERE " + "\n    AND ".join(conditions)
