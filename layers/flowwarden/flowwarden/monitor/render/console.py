"""Links to the AWS console. Pure.

No AWS API returns such links; their forms are those of the console's own addresses. The link to CloudWatch
Logs Insights contains the query as the console writes it: an object in the notation of JSURL
(`~(end~'…~source~(~'…))`), in which each character other than a letter, a digit, `_`, `-` and `.` is `*` and
its code; then it is escaped twice, with `$` in place of `%`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from msgspec import Struct

from flowwarden.printable import LONGEST_LINE

DOMAINS: Final[Mapping[str, str]] = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
    "aws-eusc": "console.amazonaws-eusc.eu",
}
"""The console of each partition that has a public one. Their domains are not in the SDK's data."""

LONGEST_LINK: Final = LONGEST_LINE - 200
"""Characters of a link: beside its title, it must fit into one line."""
_NO_ID: Final = re.compile(r"[^0-9A-Za-z-]")
"""Not part of an id of EC2, nor of a Region."""
_ESCAPED: Final = re.compile(r"[^\w.-]", re.ASCII)
_MOST_OF_A_BYTE: Final = 0xFF
_MOST_OF_A_UNIT: Final = 0xFFFF


class Console(Struct, frozen=True):
    """The console of a Region. All links are '' if the partition has none, or an id is not valid."""

    partition: str = ""
    """Such as `aws-cn`; '' if it is not known."""
    region: str = ""

    def interface(self, interface_id: str) -> str:
        """The link to a network interface."""
        return self._ec2("NetworkInterface:networkInterfaceId", interface_id, "eni-")

    def instance(self, instance_id: str) -> str:
        """The link to an instance."""
        return self._ec2("InstanceDetails:instanceId", instance_id, "i-")

    def security_group(self, group_id: str) -> str:
        """The link to a security group."""
        return self._ec2("SecurityGroup:groupId", group_id, "sg-")

    def subnet(self, subnet_id: str) -> str:
        """The link to a subnet, with its route table and its network ACL."""
        return self._page("vpcconsole", "SubnetDetails:subnetId", subnet_id, "subnet-")

    def logs(self, log_group: str, query: str, span: tuple[int, int] | None) -> str:
        """The link to a query of CloudWatch Logs Insights; '' if it is too long to work.

        Args:
            log_group: the name of the log group.
            query: the query.
            span: the times (Unix seconds) that the query covers; None for the last hour.
        """
        home = self._home("cloudwatch")
        link = f"{home}#logsV2:logs-insights{_query(log_group, query, span)}" if home else ""
        return link if len(link) <= LONGEST_LINK else ""

    def _ec2(self, page: str, name: str, prefix: str) -> str:
        return self._page("ec2", page, name, prefix)

    def _page(self, service: str, page: str, name: str, prefix: str) -> str:
        home = self._home(service)
        is_id = name.startswith(prefix) and not _NO_ID.search(name)
        return f"{home}#{page}={name}" if home and is_id else ""

    def _home(self, service: str) -> str:
        domain = DOMAINS.get(self.partition)
        if domain is None or not self.region or _NO_ID.search(self.region):
            return ""
        return f"https://{domain}/{service}/home?region={self.region}"


def _query(log_group: str, query: str, span: tuple[int, int] | None) -> str:
    detail = (
        f"~({_range(span)}~editorString~'{_value(query)}~isLiveTail~false~source~(~'{_value(log_group)}))"
    )
    return _with_dollars(f"?queryDetail={_percented(detail)}")


def _range(span: tuple[int, int] | None) -> str:
    if span is None:
        return "end~0~start~-3600~timeType~'RELATIVE~tz~'UTC~unit~'seconds"
    begin, end = (_value(_moment(each)) for each in span)
    return f"end~'{end}~start~'{begin}~timeType~'ABSOLUTE~tz~'UTC"


def _moment(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.000Z"


def _value(text: str) -> str:
    """A text as a value of JSURL: `*3a` for a colon, `**20ac` for a character beyond U+00FF."""
    return _ESCAPED.sub(lambda found: _code(found[0]), text)


def _code(char: str) -> str:
    code = ord(char)
    if code <= _MOST_OF_A_BYTE:
        return f"*{code:02x}"
    if code <= _MOST_OF_A_UNIT:
        return f"**{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"**{0xD800 + high:04x}**{0xDC00 + low:04x}"


def _percented(text: str) -> str:
    """The first of both escapes, which JavaScript's `escape` makes: it leaves `*`."""
    return "".join(f"%{ord(char):02X}" if char in "~()'" else char for char in text)


def _with_dollars(text: str) -> str:
    """The second one, with `$` in place of `%`."""
    return quote(text, safe="*").replace("%", "$")
