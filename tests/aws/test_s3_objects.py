"""Objects of a bucket: on moto, and with connections that break."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from moto import mock_aws

from flowwarden.aws.s3_objects import PAUSE, RESUMED, Object, Objects
from flowwarden.bootstrap.bucket_archive import on_aws
from flowwarden.errors import SourceNotOpened
from flowwarden.sources.inputs import Input
from tests.aws.clients import session

BUCKET = "flow-logs"
CONTENT = bytes(range(256)) * 2000


def bucket(**objects: bytes) -> Any:
    """A client, and a bucket with these objects below `logs/`; call it within moto."""
    s3 = session().client("s3")
    s3.create_bucket(Bucket=BUCKET)
    for name, body in objects.items():
        s3.put_object(Bucket=BUCKET, Key=f"logs/{name}", Body=body)
    return s3


def test_the_objects_below_a_prefix_are_listed_and_read() -> None:
    """Neither folders nor other prefixes."""
    with mock_aws():
        s3 = bucket(b=CONTENT, a=b"a")
        s3.put_object(Bucket=BUCKET, Key="logs/", Body=b"")
        s3.put_object(Bucket=BUCKET, Key="others/c", Body=b"c")
        objects = Objects(s3, lambda _: None)
        found = [*objects.below(BUCKET, "logs/")]
        read = {each.url: objects.open(each).read() for each in found}
    assert [each.size for each in found] == [1, len(CONTENT)]
    assert read == {"s3://flow-logs/logs/a": b"a", "s3://flow-logs/logs/b": CONTENT}


def test_an_empty_object_is_empty() -> None:
    """S3 refuses a range of it."""
    with mock_aws():
        assert Objects(session().client("s3"), lambda _: None).open(Object(BUCKET, "a", 0)).read() == b""


def test_what_s3_refuses_is_an_error_of_the_source() -> None:
    """A bucket or an object that does not exist."""
    with mock_aws():
        objects = Objects(session().client("s3"), lambda _: None)
        with pytest.raises(SourceNotOpened, match="s3://flow-logs/logs: ListObjectsV2: "):
            [*objects.below(BUCKET, "logs")]
        with pytest.raises(SourceNotOpened, match="s3://flow-logs/a: GetObject: "):
            objects.open(Object(BUCKET, "a", 1))


class Breaking:
    """A client whose connections break after some bytes, a limited number of times."""

    def __init__(self, times: int) -> None:
        self.left = times
        self.ranges: list[str] = []

    def get_object(self, **request: str) -> dict[str, Any]:
        """The rest of the object from the range on."""
        self.ranges.append(request["Range"])
        position = int(request["Range"].removeprefix("bytes=").removesuffix("-"))
        return {"Body": _Broken(self, CONTENT[position:])}


class _Broken(BytesIO):
    def __init__(self, client: Breaking, data: bytes) -> None:
        super().__init__(data)
        self._client = client

    def read(self, size: int | None = -1, /) -> bytes:
        if self._client.left and self.tell() >= 100_000:
            self._client.left -= 1
            raise ReadTimeoutError(endpoint_url="https://s3")
        return super().read(min(size or 0, 50_000))


def test_a_broken_connection_is_continued_where_it_broke() -> None:
    """No byte is missing, none is there twice."""
    client, waited = Breaking(RESUMED), list[float]()
    assert Objects(client, waited.append).open(Object(BUCKET, "a", len(CONTENT))).read() == CONTENT
    positions = [int(each.removeprefix("bytes=").removesuffix("-")) for each in client.ranges]
    assert positions[0] == 0 < positions[1] < positions[2] < positions[3]
    assert len(positions) == 1 + RESUMED
    assert waited == [PAUSE, 2 * PAUSE, 3 * PAUSE]


def test_a_connection_that_always_breaks_is_an_error() -> None:
    """After a limited number of attempts."""
    opened = Objects(Breaking(100), lambda _: None).open(Object(BUCKET, "a", len(CONTENT)))
    with pytest.raises(OSError, match="s3"):
        opened.read()


def test_a_url_lists_inputs_or_says_why_it_does_not() -> None:
    """An error takes the place of the objects, as for files."""
    with mock_aws():
        region = bucket(a=b"a").meta.region_name
        (found,) = on_aws("s3://flow-logs/logs/", region, lambda _: None)
        assert isinstance(found, Input)
        assert (found.name, found.open().read()) == ("s3://flow-logs/logs/a", b"a")
        for url in ("s3://", "s3://missing/logs"):
            (error,) = on_aws(url, region, lambda _: None)
            assert isinstance(error, SourceNotOpened)
