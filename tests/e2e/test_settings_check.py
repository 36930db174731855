"""The deployed check of the settings, with its layers: it answers CloudFormation's requests."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest

from local.scenario import Stage

pytestmark = pytest.mark.e2e


class Answers(BaseHTTPRequestHandler):
    """Takes the answers of the function in place of CloudFormation."""

    got: ClassVar[list[dict[str, Any]]]

    def do_PUT(self) -> None:
        """Store the answer."""
        self.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Print nothing."""


def answer(stage: Stage, request: dict[str, Any]) -> dict[str, Any]:
    """Invoke the function with a request and return its answer."""

    class OneAnswer(Answers):
        got: ClassVar[list[dict[str, Any]]] = []

    with HTTPServer(("127.0.0.1", 0), OneAnswer) as server:
        waiting = threading.Thread(target=server.handle_request, daemon=True)
        waiting.start()
        url = f"http://127.0.0.1:{server.server_port}/answer"
        stage.clients.functions.invoke(
            FunctionName=stage.stack.resources["SettingsCheckFunction"],
            Payload=json.dumps({"ResponseURL": url, **request}),
        )
        waiting.join(timeout=20)
    (got,) = OneAnswer.got
    return got


@pytest.mark.parametrize("kind", ["Create", "Update", "Delete"])
def test_a_typo_fails_a_deployment_and_never_a_deletion(stage: Stage, kind: str) -> None:
    """The whole package is in the layers: the policy is read, and the reason names the typo."""
    got = answer(stage, {"RequestType": kind, "ResourceProperties": {"Policy": '{"exemt": []}'}})
    assert got["Status"] == ("SUCCESS" if kind == "Delete" else "FAILED")
    assert ("did you mean exempt?" in got["Reason"]) is (kind != "Delete")


def test_the_deployment_was_checked(stage: Stage) -> None:
    """The custom resource exists, so CloudFormation got its answer."""
    assert stage.stack.resources["SettingsCheck"] == "settings"
