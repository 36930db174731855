"""The golden pages: the exact notification of each detector, in `golden/`.

`make golden` regenerates them. Differences are changes to what people read.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from flowwarden.monitor.alerts import Deployment, Seen, alerts, held_pages
from flowwarden.monitor.detectors import blocked_connection
from flowwarden.monitor.findings import Finding
from flowwarden.monitor.names import Names
from flowwarden.monitor.render.console import Console
from flowwarden.monitor.render.notification import render
from flowwarden.monitor.render.parts import RenderContext
from flowwarden.monitor.traffic.hosts import Hosts
from flowwarden.network.interface import NetworkInterface
from flowwarden.notify.claims import Claim, ClaimState
from flowwarden.notify.draft import Draft
from flowwarden.notify.notification import Notification
from flowwarden.notify.page_budget import PageLimits
from flowwarden.policy.policy import Policy
from tests.flows import START, rejected
from tests.monitor.batches import GROUP, finding_with
from tests.monitor.fakes_interfaces import having
from tests.monitor.one_host import NOW, Monitor, moved, scanned
from tests.monitor.render.examples import EXAMPLES, PLACE
from tests.monitor.render.named_interfaces import ADDRESS, KINDS
from tests.monitor.render.rule_pages import PAGES

ONE_HOST, LATER = "one-host", NOW + 720
HELD: Final = "page-budget"
FOLDER: Final = Path(__file__).parent / "golden"
PAIRS: Final = FOLDER / "hosts"
"""Pages about a connection to an interface of every kind."""
WEB: Final = NetworkInterface(
    interface_id="eni-1", vpc_id="vpc-1", vpc_name="shop", vpc_cidrs=("10.0.0.0/16",), subnet_id="subnet-1",
    addresses=("10.0.1.20",), security_groups=("sg-1",), group_names=("web",), instance_id="i-1",
    tags={"Name": "web-1", "Role": "web", "Team": "shop", "aws:autoscaling:groupName": "shop-web"},
)  # fmt: skip
DATABASE: Final = NetworkInterface(
    interface_id="eni-2", vpc_id="vpc-1", subnet_id="subnet-2", addresses=("10.0.2.30", "10.0.9.1"),
    security_groups=("sg-2", "sg-3"), group_names=("data",), instance_id="i-2",
    tags={"Name": "orders-db-1", "Role": "db", "Owner": "Data team"},
)  # fmt: skip
HOSTS: Final = Hosts({"eni-1": WEB, "eni-2": DATABASE}, having((DATABASE, START - 900)), ("Role",))
"""The interface that logged the flows, and one at the other end of some of them."""
NAMES: Final = Names(
    aliases={"111122223333": "shop-production"},
    subnets={"subnet-1": "web-a", "subnet-2": "data-a"},
    interfaces={"eni-1": WEB, "eni-2": DATABASE},
)
CONTEXT: Final = RenderContext(
    account_id="111122223333", region="eu-west-1", log_group="/flow-warden/flow-logs",
    log_stream="eni-1-all", suppression_minutes=240, runbooks="docs/runbooks", now=START + 300, hosts=HOSTS,
    names=NAMES, owner_tags=Policy().owner_tags, console=Console("aws", "eu-west-1"),
    batch_span=(START, START + 58),
)  # fmt: skip
NOT_DESCRIBED: Final = replace(CONTEXT, hosts=Hosts({}), names=Names())
UNAVAILABLE: Final = replace(
    NOT_DESCRIBED, names=Names(unavailable="DescribeNetworkInterfaces: RequestLimitExceeded")
)
CONTEXTS: Final = {
    "of-an-interface-that-is-not-described": NOT_DESCRIBED,
    "without-names": UNAVAILABLE,
    "without-a-lookup": replace(CONTEXT, hosts=Hosts({}), names=None, console=Console()),
    "without-an-alias": replace(CONTEXT, names=replace(NAMES, aliases={}, subnets={})),
    "in-govcloud": replace(CONTEXT, region="us-gov-west-1", console=Console("aws-us-gov", "us-gov-west-1")),
    "in-china": replace(CONTEXT, region="cn-north-1", console=Console("aws-cn", "cn-north-1")),
}
"""Other circumstances of a page, by the name of its golden page."""


def first_notification(finding: Finding, key: str, context: RenderContext) -> Notification:
    """The notification about a finding that was never sent before."""
    rendered = render(finding, key, context)
    return rendered.completed(Claim(state=ClaimState.CLAIMED)) if isinstance(rendered, Draft) else rendered


def path_of(name: str) -> Path:
    """The file of a detector's page."""
    return FOLDER / f"{name}.txt"


def page_of(name: str) -> str:
    """The notification about the example of a detector: subject, text, and JSON document."""
    return _whole(first_notification(EXAMPLES[name](), "key0", CONTEXT))


def page_of_pair(name: str) -> str:
    """Subject and text of the page about a connection to an interface of this kind, or in this context."""
    sent = first_notification(only_blocked(), "key0", CONTEXTS.get(name) or context_of(name))
    return f"{sent.subject}\n\n{sent.text}"


def context_of(kind: str) -> RenderContext:
    """The context of a page about a connection to an interface of this kind."""
    return replace(CONTEXT, hosts=Hosts({"eni-1": WEB}, having((KINDS[kind], START - 900)), ("Role",)))


def only_blocked() -> Finding:
    """A blocked connection from one host to another."""
    asked = [rejected("10.0.1.20:50000", f"{ADDRESS}:5432", tcp_flags=2, flow_direction="egress", **PLACE)]
    return finding_with(blocked_connection.DETECTOR)(asked)[0]


def page_with_rules(name: str) -> str:
    """The notification about a rejection, with what the rules say."""
    page = PAGES[name]
    context = replace(CONTEXT, explained=page.explanation())
    return _whole(first_notification(page.finding, "key0", context))


def page_of_one_host() -> str:
    """The update of an incident about one host, which scanned and then moved to other hosts."""
    monitor = Monitor()
    monitor.process([scanned()])
    (page,) = monitor.process([moved(at=LATER)], LATER)
    return _whole(page)


def _whole(sent: Notification) -> str:
    document = json.dumps(sent.document, indent=1, ensure_ascii=False)
    return f"{sent.subject}\n\n{sent.text}\n{document}\n"


def page_of_held() -> str:
    """The page about pages that are held because the budget is spent."""
    deployment = Deployment(
        region=CONTEXT.region, suppression_minutes=CONTEXT.suppression_minutes, runbooks=CONTEXT.runbooks
    )
    seen = Seen(batch=GROUP, deployment=deployment, now=CONTEXT.now)
    several = alerts([EXAMPLES[name]() for name in ("scan", "blocked-connection", "egress-volume")], seen)
    (limit,) = PageLimits(hour=4).at(CONTEXT.now, critical=False)
    return _whole(held_pages(several, limit, seen).notification(Claim(state=ClaimState.CLAIMED)))


def main() -> None:
    """Write all pages."""
    for name in EXAMPLES:
        path_of(name).write_text(page_of(name))
    for name in (*KINDS, *CONTEXTS):
        (PAIRS / f"{name}.txt").write_text(page_of_pair(name))
    for name in PAGES:
        path_of(name).write_text(page_with_rules(name))
    path_of(ONE_HOST).write_text(page_of_one_host())
    path_of(HELD).write_text(page_of_held())


if __name__ == "__main__":
    main()
