"""The objects of a bucket as an archive, for `flowwarden replay s3://…`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from flowwarden.aws.clients import make_client
from flowwarden.aws.identity import identity
from flowwarden.aws.s3_objects import Object, Objects
from flowwarden.errors import ConfigurationError, SourceError, SourceNotOpened
from flowwarden.sources.inputs import Input

ATTEMPTS: Final = 8
READ_SECONDS: Final = 60.0


def on_aws(url: str, region: str | None, wait: Callable[[float], None]) -> Iterator[Input | SourceError]:
    """The objects below a URL such as `s3://bucket/AWSLogs/`; an error if they cannot be listed.

    Args:
        url: the bucket, and the beginning of the keys.
        region: the Region of the bucket; None for that of the environment or the profile.
        wait: sleeps for some seconds.
    """
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    if not bucket:
        yield SourceNotOpened(f"{url}: names no bucket; write s3://BUCKET/PREFIX")
        return
    try:
        client = make_client("s3", identity(region).region, attempts=ATTEMPTS, read_timeout=READ_SECONDS)
        objects = Objects(client, wait)
        yield from (_input(objects, each) for each in objects.below(bucket, prefix))
    except ConfigurationError as error:
        yield SourceNotOpened(f"{url}: {error}")
    except SourceError as error:
        yield error


def _input(objects: Objects, one: Object) -> Input:
    return Input(one.url, one.size, opener=lambda: objects.open(one))
