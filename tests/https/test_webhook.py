"""What the answers of a service mean: sent, tried again, refused, or unknown; all within the time."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.errors import PublishFailed, PublishRefused, PublishUnanswered
from flowwarden.https.transport import Answer
from flowwarden.https.webhook import ATTEMPTS, SEND_SECONDS, Clock, Request, Webhook
from flowwarden.notify.claiming import PUBLISH_SECONDS
from tests.https.server import OK, serving, status, to_loopback

SENT = Answer(202)
KEY = "0123456789abcdef0123456789abcdef"


@dataclass
class Service:
    """A secret, a transport and a clock: each answer takes some seconds."""

    answers: Sequence[Answer | Exception]
    secrets: list[str | Exception] = field(default_factory=lambda: [KEY])
    took: float = 0.1
    now: float = 0
    posted: list[tuple[str, bytes]] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    reads: int = 0

    def post(self, url: str, body: bytes, seconds: float) -> Answer:
        """See `Transport`."""
        assert seconds > 0
        self.now += min(self.took, seconds)
        answer = self.answers[min(len(self.posted), len(self.answers) - 1)]
        self.posted.append((url, body))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def text(self) -> str:
        """See `Secret`."""
        secret = self.secrets[0]
        if isinstance(secret, Exception):
            raise secret
        return secret

    def renewed(self) -> str | None:
        """See `Secret`."""
        self.reads += 1
        before = self.secrets.pop(0) if len(self.secrets) > 1 else self.secrets[0]
        return None if self.text() == before else self.text()

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.waited.append(seconds)
        self.now += seconds

    def webhook(self, *, repeatable: bool = False) -> Webhook:
        """The service."""
        clock = Clock(monotonic=lambda: self.now, wait=self.wait, unix=lambda: 0.0)
        return Webhook("Chat", self, self, clock, repeatable=repeatable)

    def send(self, count: int = 1, *, repeatable: bool = False) -> None:
        """Send some documents."""
        self.webhook(repeatable=repeatable).post([_request(each) for each in range(count)])


def _request(number: int) -> Request:
    return lambda secret: (f"https://x/{secret}", str(number).encode())


def test_a_document_is_sent_once_with_the_secret() -> None:
    """An accepted one is not repeated."""
    service = Service([SENT])
    service.send()
    assert service.posted == [(f"https://x/{KEY}", b"0")]
    assert service.reads == 0


@pytest.mark.parametrize("code", [408, 429, 503])
def test_what_is_not_accepted_is_tried_again_and_then_left_to_the_batch(code: int) -> None:
    """At most `ATTEMPTS` times; no copy can exist, so the claim is released."""
    service = Service([Answer(code)])
    with pytest.raises(PublishFailed) as failed:
        service.send()
    assert type(failed.value) is PublishFailed
    assert len(service.posted) == ATTEMPTS
    passing = Service([Answer(code), SENT])
    passing.send()
    assert len(passing.posted) == 2


@pytest.mark.parametrize(
    ("headers", "waited"),
    [
        ({"retry-after": "2"}, [2.0]),
        ({"retry-after": "0"}, [0.5]),
        ({"retry-after": "-5"}, [0.5]),
        ({"retry-after": "soon"}, [0.5]),
        ({"retry-after": f"Tue, 03 Nov {'9' * 30} 10:00:03 GMT"}, [0.5]),
        ({"retry-after": f"Tue, 03 Nov 2026 10:00:03 +{'9' * 30}"}, [0.5]),
        ({"retry-after": "9" * 400}, []),
        ({"retry-after": "60"}, []),
        ({"retry-after": "Tue, 03 Nov 2026 10:00:03 GMT", "date": "Tue, 03 Nov 2026 10:00:00 GMT"}, [3.0]),
        ({"retry-after": "Tue, 03 Nov 2026 11:00:03 GMT", "date": "Tue, 03 Nov 2026 10:00:00 GMT"}, []),
        ({"retry-after": "Tue, 03 Nov 2026 10:00:03 GMT"}, [0.5]),
    ],
)
def test_retry_after_is_kept_if_there_is_time(headers: dict[str, str], waited: list[float]) -> None:
    """A longer wait is left to the retry of the batch; none is shorter than the usual pause."""
    service = Service([Answer(429, headers), SENT])
    if waited:
        service.send()
    else:
        with pytest.raises(PublishFailed):
            service.send()
    assert service.waited == waited


@pytest.mark.parametrize("code", [500, 502, 504, 599])
def test_an_error_of_the_server_may_have_sent_it(code: int) -> None:
    """It is tried again only where a repetition does no harm."""
    once, again = Service([Answer(code)]), Service([Answer(code)])
    with pytest.raises(PublishUnanswered):
        once.send()
    with pytest.raises(PublishFailed) as failed:
        again.send(repeatable=True)
    assert type(failed.value) is PublishFailed
    assert (len(once.posted), len(again.posted)) == (1, ATTEMPTS)


@pytest.mark.parametrize("repeatable", [False, True])
def test_without_an_answer_it_is_not_tried_again(*, repeatable: bool) -> None:
    """The claims bound the copies."""
    service = Service([PublishUnanswered("no answer")])
    with pytest.raises(PublishUnanswered):
        service.send(repeatable=repeatable)
    assert len(service.posted) == 1


@pytest.mark.parametrize("code", [300, 302, 307, 400, 401, 402, 403, 404, 405, 410, 413, 422, 451])
def test_what_is_refused_is_not_tried_again(code: int) -> None:
    """Nor is a redirect followed. The reason is what the service says."""
    service = Service([Answer(code, {}, "invalid_payload")])
    with pytest.raises(PublishRefused, match=f"status {code}: invalid_payload"):
        service.send()
    assert len(service.posted) == 1


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410])
def test_a_rotated_secret_is_read_again_once(code: int) -> None:
    """And kept from then on."""
    service = Service([Answer(code), SENT, SENT], secrets=["old-key-that-is-revoked", KEY])
    service.send(2)
    assert [url.rpartition("/")[2] for url, _ in service.posted] == ["old-key-that-is-revoked", KEY, KEY]
    assert service.reads == 1


def test_a_rotated_secret_that_is_refused_too_is_not_read_a_third_time() -> None:
    """One more request, and then the reason."""
    service = Service([Answer(403)], secrets=["old-key-that-is-revoked", KEY, "another"])
    with pytest.raises(PublishRefused):
        service.send()
    assert (len(service.posted), service.reads) == (2, 1)


@pytest.mark.parametrize("error", [PublishRefused("secret x: denied"), PublishFailed("secret x: slow")])
def test_a_secret_that_cannot_be_read_sends_nothing(error: PublishFailed) -> None:
    """Missing or denied: refused. Throttled: retried."""
    service = Service([SENT], secrets=[error])
    with pytest.raises(type(error)):
        service.send()
    assert service.posted == []


@pytest.mark.parametrize("shown", [len(KEY), len(KEY) - 1, 8])
def test_no_message_shows_the_secret(shown: int) -> None:
    """Services repeat invalid keys in their answers, of which only the beginning is kept."""
    service = Service([Answer(400, {}, f"invalid key {KEY[:shown]}")])
    with pytest.raises(PublishRefused) as refused:
        service.send()
    assert KEY[:8] not in str(refused.value)


def test_documents_that_do_not_fit_into_the_time_are_left_to_the_retry() -> None:
    """Those before were accepted; a repetition must do no harm."""
    service = Service([SENT], took=2)
    with pytest.raises(PublishFailed, match="no time is left"):
        service.send(10)
    assert 0 < len(service.posted) < 10


ANSWERS = st.builds(
    Answer,
    st.sampled_from([200, 202, 302, 400, 403, 408, 429, 500, 503]),
    st.dictionaries(st.just("retry-after"), st.sampled_from(["0", "1", "3", "100", "x"])),
)


@given(
    st.lists(ANSWERS, min_size=1, max_size=8),
    st.floats(0, 10),
    st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3),
    st.integers(1, 4),
    st.booleans(),
)
def test_no_service_takes_longer_than_a_sink_may(
    answers: list[Answer],
    took: float,
    secrets: list[str],
    count: int,
    repeatable: bool,  # noqa: FBT001
) -> None:
    """Whatever it answers, and however slowly; reading the secret has limits of its own."""
    service = Service(answers, secrets=[*secrets], took=took)
    with suppress(PublishFailed):
        service.send(count, repeatable=repeatable)
    assert service.now <= SEND_SECONDS + 1e-6 < PUBLISH_SECONDS


def test_the_faults_of_a_real_server() -> None:
    """429 with Retry-After, then accepted; 500; refused; and a redirect to a server that gets nothing."""
    clock_time = [0.0]

    def post(url: str, *, repeatable: bool = False) -> None:
        service = Service([SENT])
        clock = Clock(monotonic=lambda: clock_time[0], wait=service.wait, unix=lambda: 0.0)
        webhook = Webhook("Chat", service, to_loopback(), clock, repeatable=repeatable)
        webhook.post([lambda _secret: (url, b"{}")])

    with serving(status(429, "Retry-After: 1"), OK) as server:
        post(server.url)
        assert len(server.received) == 2
    with serving(status(500), OK) as server:
        with pytest.raises(PublishUnanswered):
            post(server.url)
        post(server.url)
    with serving(status(502), OK) as server:
        post(server.url, repeatable=True)
    with serving(status(404, body="no_service")) as server:
        with pytest.raises(PublishRefused, match="no_service"):
            post(server.url)
        assert len(server.received) == 1
