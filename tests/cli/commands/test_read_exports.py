"""`flowwarden read` on what consoles, services and other tools export."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.fakes_console import flowwarden
from tests.sources.held import ACCEPTED, HEADER, NODATA

STAMP = "2023-11-14T22:13:20"
STREAM = "eni-0a-all"
FIELDS = HEADER.split()
VALUES, NO_VALUES = ACCEPTED.split(), NODATA.split()
CAMEL = (
    "version accountId interfaceId srcAddr dstAddr srcPort dstPort protocol packets bytes start end action "
    "logStatus"
)
OLD_TABLE = (
    "version account interfaceid sourceaddress destinationaddress sourceport destinationport protocol "
    "numpackets numbytes starttime endtime action logstatus"
)
ECS = (
    "ecs-cluster-arn ecs-cluster-name ecs-container-instance-arn ecs-container-instance-id ecs-container-id "
    "ecs-second-container-id ecs-service-name ecs-task-definition-arn ecs-task-arn ecs-task-id"
)
TRANSIT_GATEWAY = {
    "version": 6, "account-id": "111122223333", "tgw-id": "tgw-0c", "tgw-attachment-id": "tgw-attach-0c",
    "tgw-src-vpc-id": "vpc-0c", "tgw-dst-vpc-id": "vpc-0d", "tgw-src-eni": "eni-0c", "tgw-dst-eni": "eni-0d",
    "tgw-pair-attachment-id": "tgw-attach-0d", "srcaddr": "10.3.0.1", "dstaddr": "10.4.0.1",
    "srcport": 50000, "dstport": 443, "protocol": 6, "packets": 4, "bytes": 400, "packets-lost-no-route": 0,
    "packets-lost-blackhole": 1, "packets-lost-mtu-exceeded": 0, "packets-lost-ttl-expired": 0,
    "start": 1700000000, "end": 1700000060, "log-status": "OK",
}  # fmt: skip


def of_names(names: str, values: list[str]) -> dict[str, str]:
    """An object with the values of a record."""
    return dict(zip(names.split(), values, strict=True))


def csv(names: str, *rows: list[str]) -> str:
    """A table in quotes, as Athena exports it, with its partition."""
    cells = [[*names.split(), "date"], *([*row, "2023-11-14"] for row in rows)]
    return "\n".join(",".join(f'"{cell}"' for cell in row) for row in cells)


def firehose(*lines: str) -> str:
    """The event of a transformation: each record holds a compressed subscription document."""
    document = {
        "messageType": "DATA_MESSAGE", "owner": "111122223333", "logGroup": "g", "logStream": STREAM,
        "subscriptionFilters": ["f"],
        "logEvents": [{"id": "1", "timestamp": 1, "message": each} for each in lines],
    }  # fmt: skip
    data = base64.b64encode(gzip.compress(json.dumps(document).encode())).decode()
    return json.dumps({"invocationId": "1", "records": [{"recordId": "1", "data": data}]})


BOTH = {
    "parseVPC": "\n".join(
        json.dumps(of_names(CAMEL, each), separators=(",", ":")) for each in (VALUES, NO_VALUES)
    ),
    "Insights, JSON": json.dumps(
        [{"@timestamp": "2023-11-14 22:13:20.000", "@message": each} for each in (ACCEPTED, NODATA)]
    ),
    "Insights, CSV": f"@timestamp,@message\n{STAMP},{ACCEPTED}\n{STAMP},{NODATA}\n",
    "console, CSV": f"timestamp,message\n1700000000000,{NODATA}\n1700000000000,{ACCEPTED}\n",
    "aws logs tail": f"{STAMP}+00:00 {STREAM} {ACCEPTED}\n{STAMP}+00:00 {STREAM} {NODATA}\n",
    "aws logs tail, detailed": "\n".join(
        f"{STAMP}.000000+00:00 {STREAM} {each}" for each in (ACCEPTED, NODATA)
    ),
    "aws logs tail, short": f"{STAMP} {ACCEPTED}\n{STAMP} {NODATA}\n",
    "export to S3": f"{STAMP}.000Z {ACCEPTED}\n{STAMP}.000Z {NODATA}\n",
    "Athena": csv(HEADER.replace("-", "_"), VALUES, NO_VALUES),
    "Athena, the former table": csv(OLD_TABLE, VALUES, NO_VALUES),
    "Firehose, before a transformation": firehose(ACCEPTED, NODATA),
    "Firehose, without separators": json.dumps({"message": ACCEPTED}) + json.dumps({"message": NODATA}),
}  # fmt: skip


@pytest.mark.parametrize("export", BOTH)
def test_an_export_gives_the_records_of_its_lines(export: str) -> None:
    """One flow with its 14 fields, one gap, and nothing malformed."""
    ended = flowwarden(["read", "-", "--flows", "--gaps", "--malformed"], BOTH[export].encode())
    assert sorted(ended.records, key=len) == sorted(of_lines(), key=len)
    assert ended.stderr.splitlines()[-1] == "1 flow, 1 gap (1 NODATA), 0 malformed lines in 1 source"


def of_lines() -> list[dict[str, Any]]:
    """The records of the lines themselves."""
    both = flowwarden(["read", "-", "--flows", "--gaps"], f"{ACCEPTED}\n{NODATA}\n".encode()).records
    assert [list(both[0]), both[1]["log-status"]] == [FIELDS, "NODATA"]
    return both


def test_fields_of_containers_are_read_below_their_header() -> None:
    """Names of clusters and tasks contain slashes and colons."""
    values = [f"arn:aws:ecs:eu-west-1:111122223333:{name}/one" for name in ECS.split()]
    ended = flowwarden(["read", "-"], f"{HEADER} {ECS}\n{ACCEPTED} {' '.join(values)}\n".encode())
    (record,) = ended.records
    assert [record[name] for name in ECS.split()] == values
    assert ended.stderr == "1 flow, 0 gaps, 0 malformed lines in 1 source\n"


def test_records_of_a_transit_gateway_are_read_below_their_header() -> None:
    """Every field keeps its name and its type: counts of lost packets are numbers, not texts."""
    text = f"{' '.join(TRANSIT_GATEWAY)}\n{' '.join(map(str, TRANSIT_GATEWAY.values()))}\n"
    assert flowwarden(["read", "-"], text.encode()).records == [TRANSIT_GATEWAY]


def test_a_record_of_a_transit_gateway_among_those_of_a_vpc_is_malformed() -> None:
    """It does not change how the others are read, and its line can be found."""
    other = " ".join(map(str, TRANSIT_GATEWAY.values()))
    ended = flowwarden(
        ["read", "-", "--flows", "--malformed"], f"{HEADER}\n{ACCEPTED}\n{other}\n{ACCEPTED}\n".encode()
    )
    assert [each.get("action", each.get("line")) for each in ended.records] == ["ACCEPT", "ACCEPT", 3]


@pytest.mark.parametrize(
    ("instance", "interface", "shown"),
    [
        ("mail%20relay", "50%25", ("mail relay", "50%")),
        ("x%2520y", "none", ("x%20y", "none")),
        ("null", "-", ("null", None)),
    ],
)
def test_the_command_reads_its_own_output_unchanged(
    tmp_path: Path, instance: str, interface: str, shown: tuple[str, str | None]
) -> None:
    """Byte for byte: tags are decoded once."""
    text = f"{HEADER} instance-tag interface-tag\n{ACCEPTED} {instance} {interface}\n"
    once = flowwarden(["read", "-"], text.encode())
    (record,) = once.records
    assert (record["instance-tag"], record["interface-tag"]) == shown
    printed = tmp_path / "once"
    printed.write_text(once.stdout)
    assert flowwarden(["read", printed]).stdout == once.stdout
