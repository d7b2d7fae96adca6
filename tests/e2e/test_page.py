"""The approval page on the local cloud: from the message to the resumed workflow, over HTTP."""

from __future__ import annotations

import http.client
import json
import re
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from hitl_approval.contract import APPROVER_ATTRIBUTE, Output

from .conftest import Live, eventually


@pytest.fixture
def links(callback_live: Live) -> Links:
    return Links(callback_live)


class Links:
    """The mailboxes of two approvers, each of which receives only its own messages."""

    def __init__(self, live: Live) -> None:
        self.live = live
        sqs, sns = live.deployment.client("sqs"), live.deployment.client("sns")
        topics = [topic["TopicArn"] for topic in sns.list_topics()["Topics"]]
        [topic] = [arn for arn in topics if f":{live.stack}-" in arn and "Personal" in arn]
        self.boxes: dict[str, str] = {}
        self.received: dict[str, list[str]] = {"ann": [], "bob": []}
        for name in self.received:
            url = str(sqs.create_queue(QueueName=f"{live.stack}-{name}")["QueueUrl"])
            attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
            sns.subscribe(
                TopicArn=topic,
                Protocol="sqs",
                Endpoint=attributes["Attributes"]["QueueArn"],
                Attributes={"FilterPolicy": json.dumps({APPROVER_ATTRIBUTE: [name]})},
            )
            self.boxes[name] = url

    def link(self, name: str, approval_id: str) -> str:
        def found() -> Any:
            for message in (
                self.live.deployment.client("sqs")
                .receive_message(QueueUrl=self.boxes[name], MaxNumberOfMessages=10)
                .get("Messages", [])
            ):
                self.received[name].append(json.loads(message["Body"])["Message"])
            for text in self.received[name]:
                if match := re.search(rf"http\S+/a/{approval_id}\.\S+", text):
                    return match[0]
            return None

        return str(eventually(found, f"link for {name}"))


def fetch(
    live: Live, link: str, method: str = "GET", form: dict[str, str] | None = None
) -> tuple[int, str]:
    """Follow a link as a browser would; the local cloud answers for the host in it."""
    cloud = urlsplit(str(live.deployment.endpoint_url))
    at = urlsplit(link)
    connection = http.client.HTTPConnection(cloud.hostname or "", cloud.port)
    headers = {"Host": at.netloc}
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    connection.request(method, at.path, urlencode(form or {}), headers)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


def nonce_of(page: str) -> str:
    [nonce] = re.findall(r'name="nonce" value="([0-9a-f]{64})"', page)
    return str(nonce)


@pytest.mark.parametrize("decision", ["approved", "rejected"])
def test_should_decide_by_a_personal_link_and_resume(links: Links, decision: str) -> None:
    live = links.live
    started = live.submit(approvers=["ann", "bob"])
    approval_id = started["approval_id"]
    link = links.link("bob", approval_id)
    assert link.startswith(live.deployment.output(Output.PAGE_URL))

    status, page = fetch(live, link)
    assert status == 200
    assert "Q4 Budget Proposal" in page
    form = {"nonce": nonce_of(page), "decision": decision, "comments": "seen on my phone"}
    status, receipt = fetch(live, link, "POST", form)

    assert status == 200
    assert f"You {decision} this" in receipt
    body = live.result(started["execution_arn"])
    assert (body["decision"], body["decided_by"]) == (decision, "bob")
    assert body["comments"] == "seen on my phone"
    assert fetch(live, links.link("ann", approval_id))[1].count(f"{decision.capitalize()} by bob")


def test_should_decide_nothing_for_a_scanner(links: Links) -> None:
    live = links.live
    started = live.submit(approvers=["ann", "bob"])
    found = {name: links.link(name, started["approval_id"]) for name in ("ann", "bob")}
    assert links.received["ann"]
    for name, other in (("ann", "bob"), ("bob", "ann")):
        assert found[other] not in "".join(links.received[name])
    broadcast = eventually(lambda: live.messages(started["approval_id"]), "message for everybody")
    assert all("/a/" not in message["Message"] for message in broadcast)
    for link in found.values():
        for method in ("GET", "HEAD") * 10:
            assert fetch(live, link, method)[0] == 200
    assert live.row(started["approval_id"])["status"]["S"] == "pending"
    assert live.events(started["approval_id"]) == ["requested"]


def test_should_open_nothing_with_an_altered_link(links: Links) -> None:
    live = links.live
    started = live.submit(approvers=["ann", "bob"])
    link = links.link("ann", started["approval_id"])
    for bad in (link[:-1], link[:-4] + "AAAA", link.replace(started["approval_id"], "0" * 32)):
        status, page = fetch(live, bad)
        assert (status, "This link does not open anything" in page) == (404, True)
