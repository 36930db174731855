"""The runs of the command whose output is kept in golden transcripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from flowwarden.bootstrap.baseline import BaselinePorts
from flowwarden.bootstrap.incidents import IncidentPorts
from flowwarden.bootstrap.redrive import RedrivePorts
from flowwarden.doctor.facts import Facts
from flowwarden.enforcer.ports import EnforcerPorts
from flowwarden.errors import CallRefused
from flowwarden.policy.made_mutes import id_of
from flowwarden.removal.ports import Account
from tests.cli.fakes_account import deployed, undeployed
from tests.cli.fakes_incidents import (
    BLOCKED,
    MUTE,
    SCAN,
    SENDING,
    SILENT,
    refusing_table,
    refusing_topic,
    with_incidents,
    without_incidents,
    working,
)
from tests.cli.fakes_installation import absent, broken, deleted, denied_parts, refusing, removed_before
from tests.cli.fakes_learned import away, learned_account
from tests.cli.fakes_queues import denied, empty, failed
from tests.doctor.sound import sound
from tests.enforcer.fakes import Fakes
from tests.enforcer.fakes_ec2 import FakeEc2
from tests.removal.fakes import MemoryAccount
from tests.replay.archives import BEGIN, SCANNER, line
from tests.sources.held import ACCEPTED, NODATA, REJECTED

REFUSED: Final = REJECTED.replace(" 23 ", " 99999 ")
_FORMAT: Final = "${srcaddr} ${dstaddr} ${dstport} ${action}"


class Run(Struct, frozen=True):
    """One call of the command."""

    arguments: tuple[str, ...]
    stdin: str = ""
    aws: Callable[[], EnforcerPorts] = lambda: deployed().aws()
    """What `flowwarden plan` finds."""
    learned: Callable[[], BaselinePorts] = learned_account
    """What `flowwarden baseline` finds."""
    installation: Callable[[], Facts] = sound
    """What `flowwarden doctor` finds."""
    removed: Callable[[], Account] = lambda: MemoryAccount(polls=0)
    """What `flowwarden uninstall` finds."""
    queues: Callable[[], RedrivePorts] = failed
    """What `flowwarden redrive` finds."""
    stack: Callable[[], IncidentPorts] = with_incidents
    """What the commands about incidents find."""


_SCANNED: Final = line(BEGIN + 900, SCANNER, SCANNER, "10.0.3.7", (50_900, 22))
"""A record of the scan that the archive does not contain."""
POLICIES: Final = (
    "{}",
    '{"exempt": ["0.0.0.0/0"]}',
    '{"exempt": [], "exempt": []}',
    '{"flow_logs": {"default": {"destination_type": "s3", "destination": "arn:aws:s3:::flows"}}}',
)


def _read(*arguments: str, stdin: str = "") -> Run:
    return Run(("read", *arguments), stdin)


def _plan(*arguments: str, aws: Callable[[], EnforcerPorts] = lambda: deployed().aws()) -> Run:
    return Run(("plan", *arguments), aws=aws)


def _baseline(*arguments: str, aws: Callable[[], BaselinePorts] = learned_account) -> Run:
    return Run(("baseline", *arguments), learned=aws)


def _redrive(*arguments: str, queues: Callable[[], RedrivePorts] = failed) -> Run:
    return Run(("redrive", *arguments), queues=queues)


def _doctor(*arguments: str, facts: Callable[[], Facts] = sound) -> Run:
    return Run(("doctor", *arguments), installation=facts)


def _uninstall(*arguments: str, account: Callable[[], Account] = lambda: MemoryAccount(polls=0)) -> Run:
    return Run(("uninstall", *arguments), removed=account)


def _athena(*arguments: str) -> Run:
    return Run(("athena", *arguments))


def _ddl(location: str, *arguments: str) -> Run:
    return _athena("ddl", "--location", location, *arguments)


def _on(command: str, *arguments: str, stack: Callable[[], IncidentPorts] = with_incidents) -> Run:
    return Run((command, *arguments), stack=stack)


def _planned(policy: str) -> Run:
    return _plan("--settings", "settings.json", "--policy", policy)


def _silent() -> EnforcerPorts:
    fakes = deployed()
    fakes.evidence.items.clear()
    return fakes.aws()


def _refusing() -> EnforcerPorts:
    return Fakes(ec2=FakeEc2(list_fault=CallRefused("UnauthorizedOperation"))).aws()


RUNS: Final[dict[str, tuple[Run, ...]]] = {
    "help": tuple(
        Run((*name, "--help")) for name in ((), ("read",), ("plan",), ("policy",), ("completion",))
    ),
    "read": (
        _read("flows.log"),
        _read("flows.log", "--only", "REJECT"),
        _read("flows.log", "--gaps"),
        _read("flows.log", "--malformed"),
        _read("flows.log", "--only", "ACCEPT", "--gaps", "--malformed"),
        _read("flows.log", "--flows", "--gaps", "--malformed"),
        _read("-", stdin=f"{ACCEPTED}\n"),
    ),
    "read-kinds": (
        _read("flows.log.gz"),
        _read("folder"),
        _read("export.log"),
        _read("custom.log", "--format", _FORMAT),
        _read("custom.log", "--format", "srcaddr dstaddr mood action"),
        _read("athena.csv", "--flows", "--malformed"),
        _read("records.json", "--flows", "--malformed"),
    ),
    "read-empty": tuple(
        _read(name) for name in ("empty.log", "header-only.log", "folder/_SUCCESS", "nothing")
    ),
    "read-errors": (
        _read("missing.log"),
        _read(""),
        _read("missing.log", "flows.log"),
        _read("custom.log"),
        *(_read(f"cut.{suffix}") for suffix in ("log.gz", "json")),
        _read("payload.json"),
        _read("repeated.log"),
        _read("four-times.gz"),
        *(_read(f"flows.{suffix}") for suffix in ("zip", "zst", "bz2", "xz", "avro", "orc")),
        _read("utf16.log"),
        _read("picture.png"),
    ),
    "replay": (
        Run(("replay", "scan.log")),
        Run(("replay", "quiet.log", "--as-delivered")),
        Run(("replay", "scan.log", "--policy", "no-settings.json", "--policy", "mute-scan.json")),
        Run(("replay", "scan.log", "--interfaces", "interfaces.json")),
        Run(("replay", "custom-times.log", "--log-format", "srcaddr dstaddr action end")),
    ),
    "replay-json": (
        Run(("interfaces", "export", "--region", "eu-west-1")),
        Run(("replay", "--log-group", "/flows", "--since", "7d", "--region", "eu-west-1")),
    ),
    "replay-document": (Run(("replay", "quiet.log", "--format", "json")),),
    "replay-errors": (
        Run(("replay", "scan.log", "--policy", "list.json")),
        Run(("replay", "missing.log")),
        *(Run(("replay", name)) for name in ("custom.log", "timeless.log", "empty.log", "nothing")),
        Run(("replay", "scan.log", "--interfaces", "list.json")),
        Run(("replay", "quiet.log", "--report", "missing/report.html")),
        Run(("replay", "quiet.log", "--checkpoint", "missing/replay.state")),
        Run(("replay", "quiet.log", "--checkpoint", "list.json")),
        Run(("replay", "quiet.log", "--workers", "0")),
        Run(("replay", "--log-group", "/flows", "--since", "soon")),
        Run(("replay",)),
    ),
    "replay-help": (Run(("replay", "--help")), Run(("interfaces", "--help"))),
    "explain": (
        Run(("explain", "scan.log:205")),
        Run(("explain", "scan.log:205", "--policy", "mute-scan.json", "--interfaces", "interfaces.json")),
        Run(("explain", "ceec4", "scan.log")),
        Run(("explain", "flows.log:5")),
    ),
    "explain-records": (
        Run(("explain", "folder/two/three.log:1", "folder")),
        Run(("explain", NODATA)),
        Run(("explain", "-", "scan.log", "--as-delivered"), stdin=f"{_SCANNED}\n"),
    ),
    "explain-roles": tuple(
        Run(("explain", place, "--policy", "private.json", "--interfaces", "interfaces.json"))
        for place in ("database.log:36", "database.log:38", "database.log:40")
    ),
    "explain-json": (
        Run(("explain", "6d868", "scan.log", "--interfaces", "interfaces.json", "--format", "json")),
    ),
    "explain-errors": (
        *(Run(("explain", f"{place}")) for place in ("scan.log:1", "scan.log:206", "scan.log:0")),
        *(
            Run(("explain", place))
            for place in ("missing.log:1", "flows.zip:1", "payload.json:1", "list.json:1")
        ),
        Run(("explain", "10.0.0.5 10.0.0.9 443 ACCEPT")),
        Run(("explain", "10.0.0.5 10.0.0.9 443", "--log-format", _FORMAT)),
        Run(("explain", f"{ACCEPTED}\n{REFUSED}")),
        Run(("explain", "ceec5", "scan.log")),
        Run(("explain", "1", "quiet.log")),
        Run(("explain", "ceec4")),
        Run(("explain", "everything")),
        Run(("explain", "-", "-")),
        Run(("explain", "scan.log:2", "--policy", "list.json")),
    ),
    "explain-help": (Run(("explain", "--help")),),
    "read-explain": (
        _read("--explain", ACCEPTED),
        _read("--explain", NODATA),
        _read("--explain", REFUSED),
        _read("--explain", "10.0.0.5 10.0.0.9 443 ACCEPT"),
        _read("--explain", "10.0.0.5 10.0.0.9 443 ACCEPT", "--format", _FORMAT),
        _read("--explain", ""),
        _read("--explain", '{"awslogs": {"data": "no base64"}}'),
    ),
    "plan": (
        _plan("--settings", "settings.json", "--stack", "flow-warden", "--region", "eu-west-1"),
        _planned("new-policy.json"),
        _plan("--settings", "settings.json", aws=_silent),
        _plan("--settings", "settings.json", aws=_refusing),
    ),
    "plan-undeployed": (
        _plan(aws=lambda: undeployed().aws()),
        _plan("--policy", "new-policy.json", aws=lambda: undeployed().aws()),
        _plan("--defaults", "--parameter", "FlowLogGroupName=/flows", aws=lambda: undeployed().aws()),
        _plan("--defaults", aws=lambda: deployed().aws()),
        _plan("--parameter", "Polcy={}", aws=lambda: undeployed().aws()),
    ),
    "plan-json": (_plan("--settings", "settings.json", "--json"),),
    "plan-errors": (
        *(_plan("--settings", f"{name}.json") for name in ("missing", "no-settings", "bad-settings")),
        *(_plan("--settings", f"{name}.json") for name in ("list", "numbers", "utf16")),
        _plan("--settings", "folder"),
        _planned("missing.json"),
        *(_planned(f"{name}-policy.json") for name in ("misspelled", "wrong-type", "refused")),
        _planned("list.json"),
        _planned("empty.log"),
        _planned("utf16.json"),
    ),
    "policy": (
        *(Run(("policy", "check", f"{name}.json")) for name in ("new-policy", "missing", "utf16", "list")),
        *(
            Run(("policy", "check", f"{name}-policy.json"))
            for name in ("misspelled", "wrong-type", "refused")
        ),
        *(Run(("policy", "check", "-"), stdin=text) for text in POLICIES),
    ),
    "baseline": (
        _baseline("--help"),
        _baseline("show", "--stack", "flow-warden", "--region", "eu-west-1"),
        _baseline("show", "--role", "tag:Role=db", "--json"),
        _baseline("forget", "--role", "tag:Role=db"),
        _baseline("show", aws=lambda: learned_account(0)),
        *(_baseline(action, "--role", "tag:Role=dbs") for action in ("show", "forget")),
        _baseline("show", aws=away),
    ),
    "doctor": (
        _doctor("--help"),
        _doctor("--stack", "flow-warden", "--region", "eu-west-1"),
        _doctor("--json", facts=deleted),
    ),
    "doctor-problems": (
        _doctor(facts=broken),
        _doctor(facts=denied_parts),
        _doctor(facts=absent),
        _doctor("everything"),
    ),
    "athena-ddl": (
        _ddl("s3://bucket/flows/AWSLogs/111122223333/vpcflowlogs/eu-west-1/"),
        _ddl(
            "s3://bucket",
            *("--format", "${srcaddr} ${dstaddr} ${new-field}", "--table", "logs.flows"),
            *("--account", "111122223333", "--account", "444455556666", "--region", "eu-west-1"),
            *("--hive", "--hourly", "--parquet", "--since", "2025-03-01"),
        ),
    ),
    "athena-query": (
        _athena("--help"),
        _athena("query", "records-skipped", "--format", "v2", "--table", "logs.flows"),
        _athena(
            *("query", "records-skipped", "--policy", "new-policy.json", "--hive", "--hourly"),
            *("--from", "2026-01-31T22:00", "--to", "2026-02-01T01:30", "--account", "111122223333"),
        ),
    ),
    "athena-list": (_athena("query", "--list"),),
    "athena-errors": (
        _athena("query"),
        _athena("ddl"),
        _athena("create"),
        *(_athena("query", detector) for detector in ("unparsed-lines", "port-scan", "internet-to-private")),
        _athena("query", "scan", "--format", "${srcaddr} ${dstaddr} ${start}"),
        *(_ddl(each) for each in ("bucket", "s3://bucket/it's", "s3://bucket/AWSLogs/1/2/3/4")),
    ),
    "athena-options": (
        _athena("query", "scan", "--location", "s3://bucket"),
        _athena("query", "scan", "--day", "yesterday"),
        _athena("query", "scan", "--day", "2026-01-01", "--from", "2026-01-01", "--to", "2026-01-02"),
        _athena("query", "scan", "--from", "2026-01-02", "--to", "2026-01-02"),
        _athena("query", "scan", "--from", "2026-01-02"),
        *(_athena("query", "scan", "--policy", name) for name in ("missing.json", "misspelled-policy.json")),
        *(_athena("query", "scan", *each) for each in (("--table", "a; b"), ("--account", "1"))),
        _ddl("s3://bucket", "--day", "2026-01-01"),
    ),
    "redrive": (
        _redrive("--help"),
        _redrive("--stack", "flow-warden", "--region", "eu-west-1"),
        _redrive("--dry-run"),
        _redrive("--queue", "monitor", "--limit", "1"),
        _redrive("--queue", "events"),
        _redrive("--json"),
        _redrive(queues=empty),
        _redrive(queues=denied),
        _redrive("--json", queues=denied),
    ),
    "uninstall": (
        _uninstall("--help"),
        _uninstall("--stack", "flow-warden", "--region", "eu-west-1"),
        _uninstall("--dry-run", "--delete-log-groups"),
        _uninstall("--yes"),
        _uninstall("--yes", "--delete-log-groups", account=refusing),
        _uninstall("--yes", account=removed_before),
        _uninstall("--yes", "--dry-run"),
    ),
    "incidents": (
        _on("incidents", "--help"),
        _on("incidents", "list", "--stack", "flow-warden", "--region", "eu-west-1"),
        _on("incidents", "list", stack=without_incidents),
        _on("incidents", "list", "--json", stack=without_incidents),
        _on("incidents", "ack", SCAN[:5], "--by", "alice"),
        _on("incidents", "resolve", SCAN[:5]),
        _on("incidents", "resolve", SCAN[:5], "--by", "alice", "--json"),
        _on("incidents", "mute", SCAN[:5], "--for", "7d", "--reason", "approved scanner", "--by", "alice"),
        _on("incidents", "mute", BLOCKED, "--until", "2026-12-24", "--reason", "x", "--json"),
    ),
    "incidents-show": (
        *(_on("incidents", "show", key) for key in (SCAN, BLOCKED[:8], SENDING, SILENT)),
        _on("incidents", "show", BLOCKED[:8], "--json"),
    ),
    "incidents-errors": (
        *(_on("incidents", "show", key) for key in ("8cf", "8cf7", "9999", "9" * 32)),
        _on("incidents", "ack", SENDING),
        _on("incidents", "ack", SILENT),
        _on("incidents", "list", stack=refusing_table),
        *(
            _on("incidents", *given)
            for given in (
                ("list", "8cf70"),
                ("ack", "8cf70", "--reason", "x"),
                ("ack", "8cf70", "--by", "x" * 257),
                ("mute", "8cf70", "--for", "7d"),
                ("mute", "8cf70", "--reason", "x"),
                ("mute", "8cf70", "--for", "7d", "--until", "2026-12-24", "--reason", "x"),
                *(("mute", "8cf70", "--for", each, "--reason", "x") for each in ("week", "400d")),
                *(
                    ("mute", "8cf70", "--until", each, "--reason", "x")
                    for each in ("never", "soon", "2026-01-01")
                ),
                ("close", "8cf70"),
            )
        ),
    ),
    "mutes": (
        _on("mutes", "--help"),
        _on("mutes", "list"),
        _on("mutes", "list", "--json", "--stack", "flow-warden", "--region", "eu-west-1"),
        _on("mutes", "list", stack=without_incidents),
        _on("mutes", "list", stack=refusing_table),
        _on("mutes", "remove", id_of(MUTE)),
        _on("mutes", "remove", id_of(MUTE), "--json"),
        _on("mutes", "remove", "000000000000"),
        _on("mutes", "remove"),
        _on("mutes", "list", "000000000000"),
    ),
    "test-page": (
        _on("test-page", "--help"),
        _on("test-page", "--stack", "flow-warden", "--region", "eu-west-1", stack=working),
        _on("test-page", "--sink", "operations", "--json", stack=working),
        _on("test-page", stack=refusing_topic),
        _on("test-page", stack=refusing_table),
        _on("test-page", "--sink", "sms"),
    ),
    "usage-errors": (
        Run(()),
        Run(("write",)),
        _read(),
        _read("flows.log", "--explain", ACCEPTED),
        _read("flows.log", "--only", "DROP"),
        _read("flows.log", "--loud"),
        *(_read("flows.log", "--format", text) for text in ("", "${version} oops", "${version} ${action}")),
        _plan("everything"),
        _plan("--stack"),
        Run(("policy",)),
        Run(("policy", "check", "--parameter", "LogFormat", "-")),
        _baseline("forget"),
        _baseline("forget", "--role", "r", "--json"),
        _baseline("erase"),
        _redrive("--queue", "dispatcher"),
        _redrive("--limit", "0"),
        _redrive("--limit", "all"),
        Run(("completion",)),
        Run(("completion", "fish")),
    ),
}
"""By the name of the transcript."""
