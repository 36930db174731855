"""The files that the golden transcripts of the command line read."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Final

from flowwarden.replay.interface_file import encoded
from flowwarden.state.sets import DAY
from tests.cli.fakes_account import SETTINGS
from tests.cli.fakes_archive import INTERFACES
from tests.replay.archives import BEGIN, LAYOUT, SCANNER, database, ordinary, scan, served, talk
from tests.sources.held import ACCEPTED, HEADER, NODATA, REJECTED, SKIPDATA, gz

_POLICIES: Final = {
    "new": {"flow_logs": {"exemptions": [{"where": {"vpcs": ["vpc-1", "vpc-3"]}, "reason": "a lab"}]}},
    "misspelled": {"flow_log": {}},
    "wrong-type": {"thresholds": {"scan_hour": "many"}},
    "refused": {"flow_logs": {"default": {"retention_days": 31}}},
}
_TEXTS: Final = {
    "flows.log": f"{HEADER}\n{ACCEPTED}\n{NODATA}\n{REJECTED}\n2 111122223333\n{SKIPDATA}\n",
    "custom.log": "10.0.0.5 10.0.0.9 443 ACCEPT\n10.0.0.5 10.0.0.9 22 REJECT\n",
    "export.log": f"2023-11-14T22:14:20.000Z {ACCEPTED}\n",
    "athena.csv": "srcaddr,dstaddr,dstport,action,query_id\n10.0.0.5,10.0.0.9,443,ACCEPT,7\n10.0.0.5\n",
    "records.json": '[{"srcaddr": "10.0.0.5", "dstaddr": "10.0.0.9"}, {"mood": "good"}]\n',
    "cut.json": '{"events": [{"message": "',
    "payload.json": '{"awslogs": {"data": "no base64"}}',
    "header-only.log": f"{HEADER}\n",
    "repeated.log": f"srcaddr srcaddr dstaddr\n{ACCEPTED}\n",
    "empty.log": "",
    "folder/one.log": ACCEPTED,
    "folder/two/three.log": REJECTED,
    "folder/_SUCCESS": "",
    "nothing/.hidden": "",
    "settings.json": json.dumps(SETTINGS),
    "no-settings.json": "{}",
    "numbers.json": '{"FLOW_LOG_RETENTION_DAYS": 30}',
    "bad-settings.json": json.dumps(SETTINGS | {"FLOW_LOG_RETENTION_DAYS": "forever"}),
    "list.json": "[]",
    "scan.log": "\n".join([" ".join(LAYOUT.names), *ordinary(1, 3), *scan(BEGIN + 600), ""]),
    "quiet.log": "\n".join([" ".join(LAYOUT.names), *ordinary(1, 3), ""]),
    "database.log": "\n".join(
        [
            " ".join(LAYOUT.names),
            *database(SCANNER, 17),
            *talk(BEGIN + 17 * DAY, SCANNER, "198.51.100.77", 4444, 42_000),
            *served(BEGIN + 17 * DAY, SCANNER, "203.0.113.7", 22),
            *served(BEGIN + 17 * DAY, SCANNER, "203.0.113.8", 3389, answered=False),
            "",
        ]
    ),
    "private.json": '{"private_subnets": ["10.0.0.0/24"]}',
    "mute-scan.json": '{"mutes": [{"detector": "scan", "until": "never", "reason": "known"}]}',
    "interfaces.json": encoded(INTERFACES),
    "custom-times.log": "10.0.0.5 10.0.0.9 ACCEPT 1800000060\n10.0.0.5 10.0.0.9 REJECT 1800000120\n",
    "timeless.log": "srcaddr dstaddr action\n10.0.0.5 10.0.0.9 ACCEPT\n",
} | {f"{name}-policy.json": json.dumps(policy) for name, policy in _POLICIES.items()}
_BYTES: Final = {
    "flows.log.gz": gz(f"{ACCEPTED}\n{REJECTED}\n"),
    "cut.log.gz": gzip.compress(f"{ACCEPTED}\n".encode() * 3, mtime=0)[:-12],
    "flows.zip": b"PK\x03\x04 and more",
    "flows.zst": b"\x28\xb5\x2f\xfd and more",
    "flows.bz2": b"BZh9 and more",
    "flows.xz": b"\xfd7zXZ\x00 and more",
    "flows.avro": b"Obj\x01 and more",
    "flows.orc": b"ORC and more",
    "utf16.log": HEADER.encode("utf-16"),
    "picture.png": b"\x89PNG\r\n\x1a\n\0\0\0\x0d",
    "utf16.json": "{}".encode("utf-16"),
    "four-times.gz": gzip.compress(gzip.compress(gzip.compress(gz(ACCEPTED), mtime=0), mtime=0), mtime=0),
}


def write_files(folder: Path) -> None:
    """Write all of them into a folder."""
    for name, content in (_BYTES | {name: text.encode() for name, text in _TEXTS.items()}).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
