"""The location of an archive."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec.structs import replace

from flowwarden_cli.athena.archive import Archive, Partitions, located
from flowwarden_cli.athena.sql import NotExpressible

PLAIN = Archive(top="", partitions=Partitions(), since=date(2025, 3, 1))


@pytest.mark.parametrize(
    "uri",
    ["s3://bucket", "s3://bucket/", "s3://bucket/AWSLogs", "s3://bucket/AWSLogs/"],
)
def test_the_folder_of_aws_may_be_left_out(uri: str) -> None:
    """AWS writes it below the prefix of the flow log's destination."""
    assert located(uri, PLAIN) == replace(PLAIN, top="s3://bucket/AWSLogs")


@pytest.mark.parametrize(
    ("below", "account", "region", "hive"),
    [
        ("111122223333", "111122223333", (), False),
        ("111122223333/vpcflowlogs", "111122223333", (), False),
        ("111122223333/vpcflowlogs/eu-west-1/", "111122223333", ("eu-west-1",), False),
        ("aws-account-id=111122223333/", "111122223333", (), True),
        (
            "aws-account-id=111122223333/aws-service=vpcflowlogs/aws-region=eu-west-1",
            "111122223333",
            ("eu-west-1",),
            True,
        ),
    ],
)
def test_the_location_shows_account_region_and_kind_of_folders(
    below: str,
    account: str,
    region: tuple[str, ...],
    hive: bool,  # noqa: FBT001  pytest passes it
) -> None:
    """So these options can be left out."""
    found = located(f"s3://bucket/a/b/AWSLogs/{below}", PLAIN)
    assert (found.top, found.accounts) == ("s3://bucket/a/b/AWSLogs", (account,))
    assert (found.regions, found.partitions.hive) == (region, hive)


@pytest.mark.parametrize(
    "uri",
    [
        *("", "bucket", "https://bucket/AWSLogs", "s3://", "s3://B/AWSLogs", "s3://bucket//AWSLogs"),
        *("s3://bucket/it's", 's3://bucket/"', "s3://bucket/${day}", "s3://bucket/a b", "s3://bucket/a\nb"),
        *("s3://bucket/AWSLogs/111122223333/vpcflowlogs/eu-west-1/2026", "s3://bucket/AWSLogs/1/other/"),
        "s3://bucket/AWSLogs/aws-account-id=111122223333/vpcflowlogs/",
    ],
)
def test_another_location_is_refused(uri: str) -> None:
    """With the reason; nothing of it gets into a statement."""
    with pytest.raises(NotExpressible, match="the location"):
        located(uri, PLAIN)


def test_options_that_contradict_the_location_are_refused() -> None:
    """Instead of a table that finds no files."""
    with pytest.raises(NotExpressible, match="leave out --account"):
        located("s3://bucket/AWSLogs/111122223333", replace(PLAIN, accounts=("444455556666",)))
    with pytest.raises(NotExpressible, match="leave out --hive"):
        located("s3://bucket/AWSLogs/111122223333", replace(PLAIN, partitions=Partitions(hive=True)))
