"""Signing in to the deployed API of the local cloud, with real tokens of a Cognito user pool."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hitl_approval.contract import Output
from hitl_approval.http.openapi import document
from hitl_approval.routes import SIGNED_IN_ROUTES, Route
from tests.deployed import Live, People, eventually

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
ANN, BOB = "ann@example.com", "bob@example.com"

Answer = tuple[int, str]
Ask = Callable[..., Answer]


@pytest.fixture
def ask(callback_live: Live, people: People) -> Ask:
    """A request as this person."""
    tokens: dict[str, str] = {}

    def fetch(
        who: str | None, method: str, path: str, body: str | None = None, **headers: str
    ) -> Answer:
        cloud = urlsplit(str(callback_live.deployment.endpoint_url))
        host = urlsplit(callback_live.deployment.output(Output.PAGE_URL)).netloc
        sent = {"Host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if who is not None:
            sent["Authorization"] = f"Bearer {tokens.setdefault(who, people.token(who))}"
        connection = http.client.HTTPConnection(cloud.hostname or "", cloud.port)
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    return fetch


def submit(live: Live, *approvers: str) -> dict[str, Any]:
    return live.submit(approvers=list(approvers))


def inbox(ask: Ask, who: str) -> list[str]:
    status, body = ask(who, "GET", f"{Route.V1_INBOX}?limit=100")
    assert status == 200, body
    return [item["approval_id"] for item in json.loads(body)["approvals"]]


def pages(ask: Ask, who: str) -> Iterator[str]:
    """Every page of the inbox: what other tests have left pending may fill the first."""
    path: str | None = "/inbox"
    while path:
        status, page = ask(who, "GET", path)
        assert status == 200
        yield page
        found = re.search(r'href="([^"]+)">Next page', page)
        path = found and unescape(found[1])


def awaits(ask: Ask, who: str, approval_id: str, *, still: bool) -> None:
    """The inbox follows the record by a moment."""
    what = f"request {'in' if still else 'out of'} {who}'s inbox"
    eventually(lambda: (approval_id in inbox(ask, who)) is still, what)


def test_should_show_each_person_what_awaits_them_until_it_is_decided(
    callback_live: Live, ask: Ask
) -> None:
    started = submit(callback_live, ANN, BOB)
    approval_id = started["approval_id"]
    for who in (ANN, BOB):
        awaits(ask, who, approval_id, still=True)
    assert f"/approvals/{approval_id}" in "".join(pages(ask, ANN))

    path = f"/approvals/{approval_id}"
    status, page = ask(ANN, "GET", path)
    assert status == 200
    [nonce] = re.findall(r'name="nonce" value="([0-9a-f]{64})"', page)
    host = urlsplit(callback_live.deployment.output(Output.PAGE_URL)).netloc
    form = urlencode({"nonce": nonce, "decision": "approved", "comments": "signed in"})
    headers = {"Content_Type": "application/x-www-form-urlencoded", "Origin": f"https://{host}"}
    status, page = ask(ANN, "POST", path, form, **headers)
    assert status == 200
    assert "You approved this" in page

    outcome = callback_live.result(started["execution_arn"])
    assert (outcome["decision"], outcome["decided_by"]) == ("approved", ANN)
    row = callback_live.row(approval_id)
    assert row["votes"]["L"][0]["M"]["identity"]["S"] == "jwt"
    for who in (ANN, BOB):
        awaits(ask, who, approval_id, still=False)


def test_should_decide_by_the_json_api_and_resume(callback_live: Live, ask: Ask) -> None:
    started = submit(callback_live, BOB)
    path = Route.V1_DECISION.format(approval_id=started["approval_id"])
    decision = json.dumps({"decision": "rejected", "comments": "not now"})
    status, _ = ask(ANN, "POST", path, decision, Content_Type="application/json")
    assert status == 403
    status, body = ask(BOB, "POST", path, decision, Content_Type="application/json")
    assert (status, json.loads(body)["status"]) == (200, "rejected")
    assert callback_live.result(started["execution_arn"])["decided_by"] == BOB


def test_should_answer_nobody_without_a_token_or_with_a_forged_one(
    callback_live: Live, ask: Ask, people: People
) -> None:
    started = submit(callback_live, ANN)
    header, claims, signature = people.token(ANN).split(".")
    forged = f"{header}.{claims}.{signature[:-8]}AAAAAAAA"
    for path, methods in SIGNED_IN_ROUTES.items():
        url = path.format(approval_id=started["approval_id"])
        for method in methods:
            for headers in ({}, {"Authorization": f"Bearer {forged}"}):
                status, body = ask(None, method, url, **headers)
                assert status == 401, (method, url)
                assert "Q4" not in body
    assert callback_live.events(started["approval_id"]) == ["requested"]


def test_should_take_no_access_token_for_another_person(
    callback_live: Live, ask: Ask, people: People
) -> None:
    """Whether the authorizer lets it in or not, it is nobody's."""
    started = submit(callback_live, ANN, BOB)
    bearer = {"Authorization": f"Bearer {people.token(ANN, 'AccessToken')}"}
    decision = Route.V1_DECISION.format(approval_id=started["approval_id"])
    as_json = {"Content_Type": "application/json", **bearer}
    status, body = ask(None, "POST", decision, json.dumps({"decision": "approved"}), **as_json)
    assert status == 401
    assert (status, type(json.loads(body))) == (401, dict)
    assert ask(None, "GET", "/inbox", **bearer)[0] == 401
    assert callback_live.events(started["approval_id"]) == ["requested"]


OPERATIONS = [
    (path, method)
    for path, methods in SIGNED_IN_ROUTES.items()
    for method in methods
    if path.startswith("/v1/")
]


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_should_answer_whatever_is_sent_as_documented(
    callback_live: Live, people: People, path: str, method: str, mode: GenerationMode
) -> None:
    """Fuzzed by schemathesis: what the document allows, and what it does not."""
    operation = schemathesis.openapi.from_dict(document())[path][method]
    known = submit(callback_live, ANN)["approval_id"]
    host = urlsplit(callback_live.deployment.output(Output.PAGE_URL)).netloc
    headers = {"Host": host, "Authorization": f"Bearer {people.token(ANN)}"}
    seen: set[int] = set()

    @settings(
        max_examples=25,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), is_known=st.booleans())
    def send(case: schemathesis.Case[Any], is_known: bool) -> None:
        if is_known and "approval_id" in case.path_parameters:
            case.path_parameters["approval_id"] = known
        answer = case.call(base_url=callback_live.deployment.endpoint_url, headers=headers)
        seen.add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    send()
    assert seen <= {200, 400, 401, 403, 404, 409, 415}
