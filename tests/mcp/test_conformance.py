"""Every answer is one that the protocol's own models take, whatever was sent; never a 5xx.

The models of `mcp-types` are generated from the published JSON schema of each version.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from mcp_types import methods
from mcp_types.jsonrpc import JSONRPCError, JSONRPCResponse
from mcp_types.version import KNOWN_PROTOCOL_VERSIONS
from pydantic import TypeAdapter

from hitl_approval.domain.audit import Actor
from hitl_approval.domain.request_values import MAX_CONTEXT_BYTES
from hitl_approval.domain.values import NOTHING
from hitl_approval.mcp import versions
from hitl_approval.mcp.tools import TOOLS

from .serving import BOB, RITA, SHOWS, TASKS, VERSION, Api, request

ASK = {"subject": "Ship it", "approvers": [BOB]}


TASK = {
    "type": "object",
    "required": ["taskId", "status", "createdAt", "lastUpdatedAt", "ttlMs", "resultType"],
    "additionalProperties": False,
    "properties": {
        "taskId": {"type": "string"},
        "status": {"enum": ["working", "input_required", "completed", "cancelled", "failed"]},
        "statusMessage": {"type": "string"},
        "createdAt": {"type": "string", "format": "date-time"},
        "lastUpdatedAt": {"type": "string", "format": "date-time"},
        "ttlMs": {"type": ["integer", "null"]},
        "pollIntervalMs": {"type": "integer"},
        "result": {"type": "object"},
        "resultType": {"type": "string"},
        "_meta": {"type": "object"},
    },
}
"""`Task` of the Tasks extension (SEP-2663), which no schema file has."""


def checked(api: Api, method: str, params: Mapping[str, Any] | None = None, **more: Any) -> Any:
    """The result of a request, taken by the models of the newest version."""
    status, body = api.send(method, params, **more)
    assert status == 200, body
    JSONRPCResponse.model_validate(body, strict=True)
    result = body["result"]
    if method.startswith("tasks/") or result["resultType"] == "task":
        return result
    methods.validate_server_result(method, VERSION, result)
    return result


def decided(api: Api, approval_id: str, decision: Any) -> None:
    api.world.decisions.decide(
        approval_id, Actor(BOB, "jwt"), decision, "", content_digest=None, values=NOTHING
    )


def test_should_answer_as_the_schema_of_the_newest_version_has_it(api: Api) -> None:
    found = checked(api, "server/discover")
    assert found["supportedVersions"] == ["2026-07-28", "2025-11-25", "2025-06-18"]
    assert set(found["supportedVersions"]) < set(KNOWN_PROTOCOL_VERSIONS)
    assert len(checked(api, "tools/list")["tools"]) == 3
    asked = checked(api, "tools/call", {"name": "request_approval", "arguments": ASK})
    one = {"approval_id": asked["structuredContent"]["approval_id"]}
    checked(api, "tools/call", {"name": "get_approval", "arguments": one})
    checked(api, "tools/call", {"name": "withdraw_approval", "arguments": one})
    shown = {"name": "request_approval", "arguments": ASK}
    first = checked(api, "tools/call", shown, capabilities=SHOWS)
    assert first["resultType"] == "input_required"
    answers = {"page": {"action": "accept"}}
    again = {**shown, "requestState": first["requestState"], "inputResponses": answers}
    assert checked(api, "tools/call", again, capabilities=SHOWS)["resultType"] == "complete"
    task = checked(api, "tools/call", again, capabilities=SHOWS | TASKS)
    assert task["taskId"] == first["requestState"].partition(".")[0]


@pytest.mark.parametrize("version", versions.LEGACY)
def test_should_answer_as_the_schema_of_an_earlier_version_has_it(api: Api, version: str) -> None:
    def send(method: str, params: Mapping[str, Any], **headers: str) -> Any:
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = api.post(json.dumps(message), **headers)
        assert answer["statusCode"] == 200, answer
        result = json.loads(answer["body"])["result"]
        methods.validate_server_result(method, version, result)
        assert "resultType" not in result
        return result

    asks = {"protocolVersion": version, "capabilities": {}, "clientInfo": {}}
    assert send("initialize", asks)["protocolVersion"] == version
    said = {"mcp_protocol_version": version}
    send("ping", {}, **said)
    send("tools/list", {}, **said)
    send("tools/call", {"name": "request_approval", "arguments": ASK}, **said)


def test_should_offer_the_newest_of_the_earlier_versions_to_who_asks_for_another(api: Api) -> None:
    message = {"jsonrpc": "2.0", "id": 1, "method": "initialize"}
    answer = api.post(json.dumps({**message, "params": {"protocolVersion": "2024-11-05"}}))
    assert json.loads(answer["body"])["result"]["protocolVersion"] == "2025-11-25"


@pytest.mark.parametrize(
    ("decision", "status"),
    [("approved", "completed"), ("rejected", "completed"), (None, "working")],
)
def test_should_have_the_tasks_of_the_extension(
    api: Api, decision: str | None, status: str
) -> None:
    params = {"name": "request_approval", "arguments": {**ASK, "timeout_seconds": 3600}}
    created = checked(api, "tools/call", params, capabilities=TASKS)
    assert created["resultType"] == "task"
    assert created["status"] == "working"
    assert created["ttlMs"] == 3_600_000
    if decision is not None:
        decided(api, created["taskId"], decision)
    found = checked(api, "tasks/get", {"taskId": created["taskId"]}, capabilities=TASKS)
    assert (found["status"], found["resultType"]) == (status, "complete")
    for task in (created, found):
        Draft202012Validator(TASK).validate(task)
    if status == "completed":
        methods.validate_server_result("tools/call", VERSION, found["result"])
        assert found["result"]["structuredContent"]["approved"] is (decision == "approved")
    ack = checked(api, "tasks/cancel", {"taskId": created["taskId"]}, capabilities=TASKS)
    assert set(ack) == {"resultType", "_meta"}
    after = checked(api, "tasks/get", {"taskId": created["taskId"]}, capabilities=TASKS)
    assert after["status"] == ("cancelled" if decision is None else "completed")


def test_should_give_no_task_to_a_client_that_takes_none(api: Api) -> None:
    assert api.call("request_approval", ASK)["resultType"] == "complete"
    assert api.call("request_approval", ASK, capabilities={"extensions": {}})["structuredContent"]


@pytest.mark.parametrize(
    "method", ["tasks/result", "tasks/list", "elicitation/create", "initialise"]
)
def test_should_know_no_other_method(api: Api, method: str) -> None:
    status, body = api.send(method, {"taskId": "a"})
    assert (status, body["error"]["code"]) == (404, -32601)


def test_should_take_no_answer_to_a_form_for_a_vote(api: Api) -> None:
    created = checked(
        api, "tools/call", {"name": "request_approval", "arguments": ASK}, capabilities=TASKS
    )
    form = {"page": {"action": "accept", "content": {"decision": "approved", "approved": True}}}
    given = {"taskId": created["taskId"], "inputResponses": form}
    for who in (RITA, BOB):
        status, _ = api.send("tasks/update", given, who=who, capabilities=TASKS)
        assert status == (200 if who == RITA else 404)
    [event] = api.world.store.history(created["taskId"])
    assert event["event"] == "requested"


def test_should_have_no_tool_that_decides() -> None:
    assert set(TOOLS) == {"request_approval", "get_approval", "withdraw_approval"}


class TestWhose:
    def test_should_ask_as_who_has_signed_in(self, api: Api) -> None:
        asked = api.call("request_approval", ASK)
        assert asked["structuredContent"]["requester"] == RITA
        refused = api.call("request_approval", {**ASK, "requester": BOB})
        assert refused["isError"]
        assert "requester: must be left out" in refused["content"][0]["text"]

    @pytest.mark.parametrize("tool", ["get_approval", "withdraw_approval"])
    def test_should_know_nothing_of_what_others_ask(self, api: Api, tool: str) -> None:
        asked = api.call("request_approval", ASK)
        one = {"approval_id": asked["structuredContent"]["approval_id"]}
        others = api.call(tool, one, who=BOB)
        unknown = api.call(tool, {"approval_id": "f" * 32}, who=BOB)
        assert others["isError"]
        text = others["content"][0]["text"].replace(one["approval_id"], "f" * 32)
        assert text == unknown["content"][0]["text"]
        status, body = api.send("tasks/get", {"taskId": one["approval_id"]}, who=BOB)
        assert (status, body["error"]["code"]) == (404, -32602)

    def test_should_refuse_who_has_not_signed_in(self, api: Api) -> None:
        status, body = api.send("tools/list", who=None)
        assert status == 401
        JSONRPCError.model_validate(body)

    def test_should_refuse_another_sites_scripts(self, api: Api) -> None:
        answer = api.post("{}", origin="https://evil.example")
        assert answer["statusCode"] == 403
        answer = api.answer("{}", {"content-type": "text/plain"}, RITA)
        assert answer["statusCode"] == 415


class TestAgain:
    def test_should_ask_once_when_a_message_is_replayed_with_its_key(self, api: Api) -> None:
        keyed = {**ASK, "idempotency_key": "ticket-7"}
        first, again = (api.call("request_approval", keyed) for _ in range(2))
        assert first["structuredContent"] == again["structuredContent"]
        assert len(api.cloud.started) == 1
        other = api.call("request_approval", keyed, who=BOB)
        assert (
            other["structuredContent"]["approval_id"] != first["structuredContent"]["approval_id"]
        )

    def test_should_refuse_a_key_for_another_request(self, api: Api) -> None:
        keyed = {**ASK, "idempotency_key": "ticket-7"}
        api.call("request_approval", keyed)
        refused = api.call("request_approval", {**keyed, "subject": "Another"})
        assert "idempotency_key: was used for another request" in refused["content"][0]["text"]

    def test_should_ask_again_without_one(self, api: Api) -> None:
        api.call("request_approval", ASK)
        api.call("request_approval", ASK)
        assert len(api.cloud.started) == 2

    def test_should_not_take_the_state_of_another_call(self, api: Api) -> None:
        params = {"name": "request_approval", "arguments": ASK}
        _, first = api.send("tools/call", params, capabilities=SHOWS)
        state = {"requestState": first["result"]["requestState"], "inputResponses": {}}
        for altered in (
            {**params, "arguments": {**ASK, "subject": "Another"}, **state},
            {**params, **state, "requestState": "a.b"},
            {**params, "inputResponses": {}},
        ):
            status, body = api.send("tools/call", altered, capabilities=SHOWS)
            assert (status, body["error"]["code"]) == (400, -32602)
        assert len(api.cloud.started) == 1


class TestRefusals:
    def test_should_say_why_the_deployment_refused(self, api: Api) -> None:
        api.cloud.asks = False
        said = {"ErrorType": "hitl_approval.InvalidRequest", "ErrorMessage": "approvers: nobody"}
        api.cloud.execution = {"Status": "FAILED", "Error": said}
        refused = api.call("request_approval", ASK)
        assert refused["isError"]
        assert refused["content"][0]["text"] == "approvers: nobody"

    def test_should_say_that_it_is_not_known_yet(self, api: Api) -> None:
        api.cloud.asks = False
        refused = api.call("request_approval", ASK)
        assert refused["isError"]
        assert "not on record yet" in refused["content"][0]["text"]

    def test_should_take_the_largest_context_and_refuse_a_larger_body(self, api: Api) -> None:
        context = {"a": "x" * (MAX_CONTEXT_BYTES - 20)}
        assert not api.call("request_approval", {**ASK, "context": context})["isError"]
        status, body = api.send("tools/list", {"x": "x" * 300_000})
        assert (status, body["error"]["code"]) == (413, -32600)

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"mcp_protocol_version": VERSION},
            {"mcp_protocol_version": VERSION, "mcp_method": "tools/call"},
            {"mcp_protocol_version": "2025-11-25", "mcp_method": "tools/list"},
        ],
    )
    def test_should_refuse_headers_that_say_something_else(
        self, api: Api, headers: dict[str, str]
    ) -> None:
        answer = api.post(json.dumps(request("tools/list")), **headers)
        assert answer["statusCode"] == 400
        assert json.loads(answer["body"])["error"]["code"] == -32020

    @pytest.mark.parametrize(
        ("name", "status"),
        [
            ("get_approval", 200),
            ("=?base64?Z2V0X2FwcHJvdmFs?=", 200),
            ("=?base64?!?=", 400),
            ("request_approval", 400),
        ],
    )
    def test_should_read_a_name_that_a_header_cannot_carry(
        self, api: Api, name: str, status: int
    ) -> None:
        params = {"name": "get_approval", "arguments": {"approval_id": "a"}}
        headers = {"mcp_protocol_version": VERSION, "mcp_method": "tools/call", "mcp_name": name}
        answer = api.post(json.dumps(request("tools/call", params)), **headers)
        assert answer["statusCode"] == status

    def test_should_refuse_a_version_that_is_not_spoken(self, api: Api) -> None:
        message = request("tools/list")
        message["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = "2099-01-01"
        headers = {"mcp_protocol_version": "2099-01-01", "mcp_method": "tools/list"}
        answer = api.post(json.dumps(message), **headers)
        body = json.loads(answer["body"])
        assert (answer["statusCode"], body["error"]["code"]) == (400, -32022)
        assert VERSION in body["error"]["data"]["supported"]

    def test_should_accept_a_notification_and_answer_nothing(self, api: Api) -> None:
        message = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        answer = api.post(json.dumps(message))
        assert (answer["statusCode"], answer["body"]) == (202, "")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
KNOWN = st.sampled_from(
    [
        *("server/discover", "initialize", "ping", "tools/list", "tools/call"),
        *("tasks/get", "tasks/update", "tasks/cancel", "notifications/cancelled"),
    ]
)
ARGUMENTS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(TOOLS["request_approval"].schema["properties"], JSON),
        "approval_id": JSON,
        "reason": JSON,
        "requester": JSON,
    },
)
PARAMS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(sorted(TOOLS)) | JSON,
        "arguments": ARGUMENTS | JSON,
        "taskId": st.text() | JSON,
        "cursor": JSON,
        "requestState": JSON,
        "inputResponses": JSON,
        "protocolVersion": JSON,
        "_meta": JSON,
    },
)
MESSAGES = st.fixed_dictionaries(
    {"jsonrpc": st.just("2.0") | JSON, "method": KNOWN | st.text() | JSON},
    optional={"id": st.integers() | st.text() | JSON, "params": PARAMS | JSON},
)
FUZZ = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
ANY_ANSWER: TypeAdapter[Any] = TypeAdapter(JSONRPCResponse | JSONRPCError)


def checked_answer(answer: Mapping[str, Any]) -> None:
    assert answer["statusCode"] < 500, answer
    if answer["statusCode"] == 202:
        assert answer["body"] == ""
        return
    body = json.loads(answer["body"])
    # An error without an id has none in MCP's schema, and null in this model, as in JSON-RPC.
    ANY_ANSWER.validate_python({"id": None, **body} if "error" in body else body)
    assert ("error" in body) != ("result" in body)


class TestAnythingSent:
    @FUZZ
    @given(
        body=st.text() | st.binary().map(lambda data: data.decode("latin-1")) | JSON.map(json.dumps)
    )
    def test_should_answer_any_body(self, api: Api, body: str) -> None:
        checked_answer(api.post(body))

    @FUZZ
    @given(message=MESSAGES, version=st.sampled_from([None, *versions.SUPPORTED]) | st.text())
    def test_should_answer_any_message(self, api: Api, message: Any, version: str | None) -> None:
        headers = {} if version is None else {"mcp_protocol_version": version}
        checked_answer(api.post(json.dumps(message), **headers))
        assert all(event["requester"] == RITA for event in api.cloud.started)

    @FUZZ
    @given(method=KNOWN, params=PARAMS, capabilities=st.sampled_from([{}, TASKS, SHOWS]) | JSON)
    def test_should_answer_any_request_of_the_newest_version(
        self, api: Api, method: str, params: Any, capabilities: Any
    ) -> None:
        message = request(method, params)
        key = "io.modelcontextprotocol/clientCapabilities"
        message["params"]["_meta"][key] = capabilities
        name = params.get("name", params.get("taskId"))
        headers = {"mcp_protocol_version": VERSION, "mcp_method": method}
        if isinstance(name, str):
            headers["mcp_name"] = name
        answer = api.post(json.dumps(message), **headers)
        checked_answer(answer)
        assert json.loads(answer["body"])["id"] == message["id"]
        assert not any(
            event["event"] in {"voted", "approved", "rejected"}
            for approval_id in api.world.store.approvals
            for event in api.world.store.history(approval_id)
        )
