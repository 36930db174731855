"""The archive: where flow log files are in S3, and how they are partitioned.

AWS writes files to `AWSLogs/<account>/vpcflowlogs/<region>/<year>/<month>/<day>/`, and to a folder for each
hour below it if the flow log has per-hour partitions. Hive-compatible flow logs have the folders
`aws-account-id=…/aws-service=vpcflowlogs/aws-region=…/year=…/month=…/day=…/hour=…`.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from flowwarden_cli.athena.sql import NotExpressible

ACCOUNT, REGION, YEAR, MONTH, DAY, HOUR = "aws_account", "aws_region", "year", "month", "day", "hour"
"""The partition columns. No field of flow logs has one of these names."""

MOST_LISTED: Final = 36
"""Accounts or Regions that the table lists. Beyond a few dozen, AWS advises against a list, and queries name
them instead."""

_URI: Final = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:/[A-Za-z0-9!_.()=+@:,~-]+)*)/?")
_ACCOUNT: Final = re.compile(r"[0-9]{12}")
_REGION: Final = re.compile(r"[a-z]{2}(?:-[a-z]+)+-[0-9]{1,2}")
_TOP: Final = "AWSLogs"
_PLAIN: Final = ("", "vpcflowlogs", "")
_HIVE: Final = ("aws-account-id=", "aws-service=vpcflowlogs", "aws-region=")
_EXAMPLE: Final = "write it like s3://bucket/prefix/AWSLogs/"


class Partitions(Struct, frozen=True, kw_only=True):
    """The options of the flow log that determine the folders."""

    hive: bool = False
    hourly: bool = False

    @property
    def of_time(self) -> tuple[str, ...]:
        """The partition columns of the time, in the order of the folders."""
        days = (YEAR, MONTH, DAY) if self.hive else (DAY,)
        return (*days, HOUR) if self.hourly else days


class Archive(Struct, frozen=True, kw_only=True):
    """An archive, and what its table covers."""

    top: str
    """The URI of the folder `AWSLogs`, without a slash at the end."""
    partitions: Partitions
    since: date
    """The first day of the table."""
    accounts: tuple[str, ...] = ()
    """If empty, or more than `MOST_LISTED`, each query names its accounts. The same for `regions`."""
    regions: tuple[str, ...] = ()
    parquet: bool = False

    @property
    def template(self) -> str:
        """The URI of a partition, with its columns in place of the values."""
        account, service, region = _HIVE if self.partitions.hive else _PLAIN
        folders = [f"{account}${{{ACCOUNT}}}", service, f"{region}${{{REGION}}}"]
        key = "{0}=${{{0}}}" if self.partitions.hive else "${{{0}}}"
        folders += [key.format(each) for each in self.partitions.of_time]
        return "/".join([self.top, *folders]) + "/"


def located(uri: str, archive: Archive) -> Archive:
    """The archive at a URI, which may contain the folders down to the Region.

    Raises:
        NotExpressible: the URI is not valid, contains further folders, or contradicts the archive's options.
    """
    found = _URI.fullmatch(uri)
    if not found:
        raise NotExpressible(
            f"the location {uri!r}: {_EXAMPLE}; names of folders may contain letters, digits and !_.()=+@:,~-"
        )
    folders = found[2].split("/")[1:]
    at = folders.index(_TOP) if _TOP in folders else len(folders)
    top = "/".join([f"s3://{found[1]}", *folders[:at], _TOP])
    return _below(folders[at + 1 :], replace(archive, top=top))


def _below(folders: list[str], archive: Archive) -> Archive:
    """The archive, with the account and the Region of the folders below `AWSLogs`."""
    if not folders:
        return archive
    hive = folders[0].startswith(_HIVE[0])
    if archive.partitions.hive and not hive:
        raise NotExpressible(f"the location has no Hive-compatible folder {_HIVE[0]}…: leave out --hive")
    archive = replace(archive, partitions=replace(archive.partitions, hive=hive))
    parts = _HIVE if hive else _PLAIN
    values = [each.removeprefix(part) for each, part in zip(folders, parts, strict=False)]
    known = all(each.startswith(part) for each, part in zip(folders, parts, strict=False))
    if len(folders) > len(parts) or not known or "".join(values[1:2]):
        raise NotExpressible(
            f"the location ends with {'/'.join(folders)!r}: {_EXAMPLE}, or down to the account or the Region"
        )
    accounts = _of_location(archive.accounts, values[0], "account")
    regions = _of_location(archive.regions, values[2], "region") if len(values) > 2 else archive.regions  # noqa: PLR2004
    return replace(archive, accounts=accounts, regions=regions)


def _of_location(given: tuple[str, ...], found: str, option: str) -> tuple[str, ...]:
    if given not in ((), (found,)):
        raise NotExpressible(f"the location is that of {found}: leave out --{option}, or that folder")
    return (found,)


def check_accounts(accounts: tuple[str, ...]) -> None:
    """Raise NotExpressible unless these are account ids."""
    for each in accounts:
        if not _ACCOUNT.fullmatch(each):
            raise NotExpressible(f"the account {each!r}: write the 12 digits of its id")


def check_regions(regions: tuple[str, ...]) -> None:
    """Raise NotExpressible unless these look like Regions."""
    for each in regions:
        if not _REGION.fullmatch(each):
            raise NotExpressible(f"the Region {each!r}: write it like eu-west-1")


def is_listed(values: tuple[str, ...]) -> bool:
    """Whether the table lists these accounts or Regions; if not, each query must name them."""
    return 0 < len(values) <= MOST_LISTED
