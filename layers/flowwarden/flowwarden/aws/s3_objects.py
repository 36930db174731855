"""Lists and reads the objects of a bucket, for `flowwarden replay s3://…`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BufferedReader, BytesIO, RawIOBase
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from flowwarden.aws.answers import Answer
from flowwarden.aws.caller import reason
from flowwarden.aws.pages import bounded
from flowwarden.errors import SourceNotOpened

CALLER_ACTIONS = ("s3:ListBucket", "s3:GetObject")
"""The IAM actions that the caller of the command needs; for encrypted objects also `kms:Decrypt`."""
RESUMED: Final = 3
"""How often the reading of an object continues after a broken connection."""
PAUSE: Final = 1.0
"""Seconds before that, times the number of the attempt."""
_MOST_PAGES: Final = 100_000
"""Each has 1,000 objects."""
_BLOCK: Final = 2**18


class Object(Struct, frozen=True):
    """An object of a bucket."""

    bucket: str
    key: str
    size: int

    @property
    def url(self) -> str:
        """`s3://bucket/key`."""
        return f"s3://{self.bucket}/{self.key}"


class Objects:
    """The objects that the client's credentials may read."""

    def __init__(self, client: Any, wait: Callable[[float], None]) -> None:  # noqa: ANN401 - it has no stubs
        """Take the client, and what sleeps for some seconds."""
        self._client = client
        self._wait = wait

    def below(self, bucket: str, prefix: str) -> Iterator[Object]:
        """The objects whose keys begin with a prefix, by key; without folders.

        Raises:
            SourceNotOpened: S3 refused a call.
        """
        try:
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            for page in bounded(pages, _MOST_PAGES):
                for each in Answer(page).each("Contents"):
                    key = each.text("Key")
                    if key and not key.endswith("/"):
                        yield Object(bucket, key, each.number("Size") or 0)
        except (ClientError, BotoCoreError) as error:
            raise SourceNotOpened(f"s3://{bucket}/{prefix}: ListObjectsV2: {reason(error)}") from error

    def open(self, one: Object) -> BufferedReader:
        """The content of an object; after a broken connection, it is read on from there.

        Raises:
            SourceNotOpened: S3 refused to read it.
        """
        return BufferedReader(_Content(self._body, one, self._wait), _BLOCK)

    def _body(self, one: Object, position: int) -> Any:  # noqa: ANN401 - it has no stubs
        try:
            return self._client.get_object(Bucket=one.bucket, Key=one.key, Range=f"bytes={position}-")["Body"]
        except (ClientError, BotoCoreError) as error:
            raise SourceNotOpened(f"{one.url}: GetObject: {reason(error)}") from error


class _Content(RawIOBase):
    """The bytes of an object."""

    def __init__(
        self, body: Callable[[Object, int], Any], one: Object, wait: Callable[[float], None]
    ) -> None:
        super().__init__()
        self._body_from = body
        self._object = one
        self._wait = wait
        self._position = 0
        self._failures = 0
        self._body: Any = body(one, 0) if one.size else BytesIO()

    def readable(self) -> bool:
        """Always true."""
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - what BufferedReader passes
        """Read the next bytes. Raises OSError if the connection breaks too often."""
        data = self._read(len(buffer))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def _read(self, size: int) -> bytes:
        while True:
            try:
                found: bytes = self._body.read(size)
            except (BotoCoreError, OSError) as error:
                if self._failures >= RESUMED:
                    raise OSError(reason(error)) from error
                self._failures += 1
                self._wait(PAUSE * self._failures)
                self._body = self._body_from(self._object, self._position)
            else:
                return found
