"""On the local cloud: many requests at once while SNS refuses a third of all messages.

The messenger function of the deployed stack speaks to SNS through a proxy, which refuses at random
and notes what it lets pass. Refusals are answers: no message may come twice.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bench.cloud import DECIDERS, deployed
from bench.figures import Figure, Group, number
from hitl_approval_cli.deployment import Deployment

APPROVERS = ("ann", "bob", "cid")
REFUSED = 0.3
"""Share of messages that SNS refuses."""
PATIENCE = 3_600.0
"""Seconds until a message must have been sent that was refused eight times in a row: of 3,000, one
or none is. Each refusal is waited for twice as long as the one before."""
_REFUSAL = (
    b"<ErrorResponse><Error><Type>Sender</Type><Code>Throttled</Code>"
    b"<Message>try again</Message></Error></ErrorResponse>"
)


@dataclass
class Proxy:
    """What passed it: approval, person, kind, and how often; and how much was refused."""

    url: str
    passed: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    refused: int = 0


def measure(quick: bool) -> Group:
    """Start a cloud, deploy, ask."""
    requests = 30 if quick else 1_000
    with deployed() as (deployment, _), _proxy(str(deployment.endpoint_url)) as proxy:
        _send_through(deployment, proxy.url)
        began = time.monotonic()
        with ThreadPoolExecutor(DECIDERS) as pool:
            started = list(pool.map(lambda n: _submit(deployment, n), range(requests)))
        asked = time.monotonic() - began
        wanted = {(one["approval_id"], name, "requested") for one in started for name in APPROVERS}
        while not wanted <= set(proxy.passed) and time.monotonic() - began < PATIENCE:
            time.sleep(0.5)
        lasted = time.monotonic() - began
    sent = len(wanted & set(proxy.passed))
    twice = sum(count > 1 for count in proxy.passed.values())
    return Group(
        title="Messages to people",
        figures=[
            Figure(
                name=f"{requests:,} requests of 3 approvers at once: people not sent theirs",
                measured=len(wanted) - sent,
                limit=0,
            ),
            Figure(name="people sent one twice", measured=twice, limit=0),
        ],
        notes=[
            (
                f"SNS refused {number(proxy.refused)} of "
                f"{number(proxy.refused + proxy.passed.total())} messages at random. The requests "
                f"were made in {asked:.0f} s; after {lasted:.0f} s {number(sent)} "
                f"of {number(len(wanted))} had theirs. Each refusal of a message is waited for "
                "twice as long as the one before."
            )
        ],
    )


def _submit(deployment: Deployment, number: int) -> dict[str, Any]:
    return deployment.submit(
        {
            "document_id": f"bench-{number}",
            "document_name": "Bench",
            "requester": "bench",
            "approvers": list(APPROVERS),
        }
    )


def _send_through(deployment: Deployment, url: str) -> None:
    client = deployment.client("lambda")
    [name] = [
        function["FunctionName"]
        for page in client.get_paginator("list_functions").paginate()
        for function in page["Functions"]
        if "MessengerFunction" in function["FunctionName"]
    ]
    variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    client.update_function_configuration(
        FunctionName=name, Environment={"Variables": {**variables, "AWS_ENDPOINT_URL_SNS": url}}
    )


@contextmanager
def _proxy(endpoint: str) -> Iterator[Proxy]:
    lots, lock = random.Random(20260102), threading.Lock()
    to = urlsplit(endpoint)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                refuses = lots.random() < REFUSED
                proxy.refused += refuses
            if refuses:
                self._answer(400, _REFUSAL)
                return
            connection = HTTPConnection(str(to.hostname), to.port, timeout=30)
            headers = {**self.headers, "Host": to.netloc}
            connection.request("POST", self.path, body, headers)
            answer = connection.getresponse()
            if answer.status == 200:
                with lock:
                    proxy.passed[_whose(parse_qs(body.decode()))] += 1
            self._answer(answer.status, answer.read())
            connection.close()

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    proxy = Proxy(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()


def _whose(form: dict[str, list[str]]) -> tuple[str, str, str]:
    """Approval, person and kind, as the message's attributes say."""
    said = {}
    for name, values in form.items():
        if name.endswith(".Name"):
            said[values[0]] = form[name.removesuffix("Name") + "Value.StringValue"][0]
    return said["approval_id"], said["approver"], said["kind"]
