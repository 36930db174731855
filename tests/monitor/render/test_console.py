"""Links to the console: those that the console itself makes, in each partition."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.monitor.render.console import DOMAINS, LONGEST_LINK, Console
from tests.examples import examples

IRELAND = Console("aws", "eu-west-1")
KNOWN = (
    "#logsV2:logs-insights$3FqueryDetail$3D$257E$2528end$257E$25272020-10-24T23*3a21*3a07.000Z$257Estart$257E"
    "$25272020-10-24T23*3a11*3a06.000Z$257EtimeType$257E$2527ABSOLUTE$257Etz$257E$2527UTC$257EeditorString"
    "$257E$2527fields*20*40timestamp*2c*20*40message*0a*7c*20filter*20*40requestId*20*3d*20*22your_request_id"
    "*22*0a*7c*20sort*20*40timestamp*20desc*0a$257EisLiveTail$257Efalse$257Esource$257E$2528$257E$2527"
    "your_log_group$2529$2529"
)
"""A link to 10 minutes on 24 October 2020 that was copied from the console and published."""


def test_a_query_has_the_link_that_the_console_makes_for_it() -> None:
    """Character by character, for the example that is public."""
    query = 'fields @timestamp, @message\n| filter @requestId = "your_request_id"\n| sort @timestamp desc\n'
    link = Console("aws", "us-east-2").logs("your_log_group", query, (1_603_581_066, 1_603_581_667))
    assert link == f"https://console.aws.amazon.com/cloudwatch/home?region=us-east-2{KNOWN}"


def decoded(link: str) -> str:
    """The object in a link, as the console reads it: the opposite of each step of the encoding."""
    fragment = urlsplit(link).fragment.removeprefix("logsV2:logs-insights").replace("$", "%")
    return unquote(unquote(fragment)).removeprefix("?queryDetail=")


def value(text: str) -> str:
    """A value of JSURL as text."""
    units = re.sub(r"\*\*([0-9a-f]{4})|\*([0-9a-f]{2})", lambda m: chr(int(m[1] or m[2], 16)), text)
    return units.encode("utf-16", "surrogatepass").decode("utf-16")


@examples(5)
@given(
    query=st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    group=st.text("abcXYZ019_-./#", min_size=1, max_size=40),
)
def test_the_console_reads_the_query_that_was_meant(query: str, group: str) -> None:
    """Whatever characters it contains; and the link contains none that ends it in a text."""
    link = IRELAND.logs(group, query, (0, 60))
    assert re.fullmatch(r"https://[\x21-\x7e]+", link)
    found = re.fullmatch(
        r"~\(end~'(.*)~start~'(.*)~timeType.*editorString~'(.*)~isLive.*\(~'(.*)\)\)", decoded(link)
    )
    assert found is not None
    assert [value(each) for each in found.groups()] == [
        "1970-01-01T00:01:00.000Z", "1970-01-01T00:00:00.000Z", query, group,
    ]  # fmt: skip


def test_a_query_without_times_is_about_the_last_hour() -> None:
    """Records without times show no range."""
    assert "~(end~0~start~-3600~timeType~'RELATIVE~tz~'UTC~unit~'seconds~" in decoded(
        IRELAND.logs("g", "q", None)
    )


def test_a_link_that_is_too_long_is_left_out() -> None:
    """A line of a page is cut at a limit, and half a link leads nowhere."""
    assert len(IRELAND.logs("g", "x" * 1000, None)) <= LONGEST_LINK
    assert IRELAND.logs("g", " " * 1000, None) == ""


@pytest.mark.parametrize(
    ("partition", "region", "domain"),
    [
        ("aws", "eu-west-1", "console.aws.amazon.com"),
        ("aws-cn", "cn-north-1", "console.amazonaws.cn"),
        ("aws-us-gov", "us-gov-west-1", "console.amazonaws-us-gov.com"),
        ("aws-eusc", "eusc-de-east-1", "console.amazonaws-eusc.eu"),
    ],
)
def test_links_are_in_the_domain_of_the_partition(partition: str, region: str, domain: str) -> None:
    """The Region is in each of them."""
    console = Console(partition, region)
    links = [
        console.interface("eni-1"), console.instance("i-1"), console.security_group("sg-1"),
        console.subnet("subnet-1"), console.logs("g", "q", None),
    ]  # fmt: skip
    assert [each.startswith(f"https://{domain}/") for each in links] == [True] * 5
    assert all(f"home?region={region}#" in each for each in links)
    assert links[:4] == [
        f"https://{domain}/ec2/home?region={region}#NetworkInterface:networkInterfaceId=eni-1",
        f"https://{domain}/ec2/home?region={region}#InstanceDetails:instanceId=i-1",
        f"https://{domain}/ec2/home?region={region}#SecurityGroup:groupId=sg-1",
        f"https://{domain}/vpcconsole/home?region={region}#SubnetDetails:subnetId=subnet-1",
    ]


@pytest.mark.parametrize("console", [Console("aws-iso", "us-iso-east-1"), Console(), Console("aws")])
def test_there_is_no_link_without_a_public_console(console: Console) -> None:
    """No link is better than one that leads elsewhere."""
    assert console.interface("eni-1") == console.logs("g", "q", None) == ""


def test_the_partitions_are_those_of_the_sdk() -> None:
    """A wrong name would have no links."""
    import botocore.session  # noqa: PLC0415 - loads endpoints of all Regions

    assert set(DOMAINS) <= set(botocore.session.get_session().get_available_partitions())


@pytest.mark.parametrize("bad", ["", "i-1", "eni-1 https://evil.example", "eni-1#x", "eni-\u0661", "eni-1\n"])
def test_only_an_id_has_a_link(bad: str) -> None:
    """Ids come from records; another text could lead elsewhere."""
    assert IRELAND.interface(bad) == ""
    assert Console("aws", f"eu-west-1#{bad}").interface("eni-1") == ""
