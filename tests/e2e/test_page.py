"""The approval page on the local cloud: from the message to the resumed workflow, over HTTP."""

from __future__ import annotations

import http.client
import re
from urllib.parse import urlencode, urlsplit

import pytest

from hitl_approval.contract import Output
from tests.deployed import Links, Live, eventually


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
    link, other = links.link("bob", approval_id), links.link("ann", approval_id)
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
    assert fetch(live, other)[1].count(f"{decision.capitalize()} by bob")


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


@pytest.mark.parametrize("behind", ["/", ".", "%3E", ")"])
def test_should_open_with_what_mail_programs_take_for_a_part_of_it(
    links: Links, behind: str
) -> None:
    live = links.live
    started = live.submit(approvers=["ann", "bob"])
    link = links.link("ann", started["approval_id"]) + behind
    status, page = fetch(live, link)
    assert (status, "Your approval is asked for" in page) == (200, True)
    form = {"nonce": nonce_of(page), "decision": "approved"}
    assert "You approved this" in fetch(live, link, "POST", form)[1]


def test_should_open_nothing_with_an_altered_link(links: Links) -> None:
    live = links.live
    started = live.submit(approvers=["ann", "bob"])
    link = links.link("ann", started["approval_id"])
    for bad in (link[:-1], link[:-4] + "AAAA", link.replace(started["approval_id"], "0" * 32)):
        status, page = fetch(live, bad)
        assert (status, "This link does not open anything" in page) == (404, True)
