"""The options of the commands that replay an archive."""

from __future__ import annotations

from argparse import ArgumentParser

from flowwarden_cli.commands.command import not_empty


def add_archive_options(command: ArgumentParser, policy: str) -> None:
    """Add them; `policy` is the help of `--policy`."""
    command.add_argument(
        "--format", choices=("text", "json"), default="text", help="print text (default) or JSON"
    )
    command.add_argument(
        "--log-format",
        action="append",
        default=[],
        metavar="FORMAT",
        help="log format of lines without a header, such as '${version} ${srcaddr} ${dstaddr}'; "
        "repeat the option for several formats (default: the stack's default format, and AWS's)",
    )
    command.add_argument("--policy", action="append", default=[], type=not_empty, metavar="FILE", help=policy)
    command.add_argument(
        "--interfaces",
        type=not_empty,
        metavar="FILE",
        help="file of `flowwarden interfaces export`; interfaces that it lacks are learned from the lines",
    )
    command.add_argument(
        "--as-delivered",
        action="store_true",
        help="cut the records into batches as CloudWatch Logs would, by interface and minute; slower",
    )
