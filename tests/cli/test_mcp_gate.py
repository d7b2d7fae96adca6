"""The gate: what the policy asks for runs when people approve exactly it, and at most once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from threading import Event
from typing import Any, ClassVar, Literal

import pytest

from hitl_approval.domain.audit import Actor
from hitl_approval.domain.call import Call
from hitl_approval.domain.digest import digest_json
from hitl_approval.domain.tool_policy import ToolPolicy
from hitl_approval.domain.values import NOTHING, Values
from hitl_approval_cli import mcp_gate
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.mcp_caller import DesktopCaller
from hitl_approval_cli.mcp_gate import Gate
from hitl_approval_cli.mcp_lines import Writer

from .fake_cloud import FakeCloud

POLICY = [
    {"tools": "read_*", "then": "allow"},
    {"tools": "drop_*", "then": "deny", "reason": "never"},
    {"tools": "pay", "then": "allow", "when": {"field": "amount", "<": 100}},
    {"tools": "delete_*", "then": "ask", "approvers": ["ops"], "timeout_seconds": 600},
    {"tools": "move_*", "then": "ask", "approvers": ["ops"], "once": "run"},
    {"tools": "card", "then": "ask", "sensitive": ["number"]},
    {"tools": "write_*", "then": "ask", "editable": ["text", "amount"], "once": "run"},
    {"tools": "send", "then": "allow", "when": {"field": "size", "<": 9}},
    {"tools": "send", "then": "ask", "editable": ["size"]},
    {"tools": "two", "then": "ask", "approvers": ["ann", "ops"], "quorum": 2},
]
OPS = Actor("ops", "jwt")


def _call(params: str, call_id: str = "1", method: str = '"method":"tools/call"') -> str:
    return f'{{"jsonrpc":"2.0","id":{call_id},{method},"params":{params}}}'


UNCLEAR = [
    "{",
    "7",
    "[" + _call('{"name":"delete_x"}') + "]",
    '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"delete_x"}}',
    _call('{"name":"delete_x"}', method='"Method":"tools/call"'),
    _call("{}", method='"method":"ping","METHOD":"tools/call"'),
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","Params":{"name":"delete_x"}}',
    _call('["delete_x"]'),
    _call('{"name":"read_x","NAME":"delete_x"}'),
    _call('{"name":"read_x","argument\u017f":{}}'),
    _call('{"name":["read_x"]}'),
    _call('{"name":"pay","arguments":{"amount":1,"Amount":1000}}'),
    _call('{"name":"read_x","arguments":[{"a":1}]}'),
    _call('{"name":"read_x","arguments":{"a":[{"b":1,"B":2}]}}'),
    _call('{"name":"read_x"}', call_id="null"),
]
"""What is no call, or could be read as another one."""


class Side:
    """What one side was written."""

    def __init__(self) -> None:
        self.lines: list[Any] = []
        self.new = Event()
        self.writer = Writer(self._write, lambda: None)

    def _write(self, data: bytes) -> None:
        assert data.endswith(b"\n")
        assert data.count(b"\n") == 1
        self.lines.append(json.loads(data))
        self.new.set()


class Desk:
    """A gate, what stands on its sides, and the people who are asked."""

    def __init__(self, cloud: FakeCloud, wait: float, policy: Any = POLICY) -> None:
        self.cloud = cloud
        self.client, self.server = Side(), Side()
        self.said: list[str] = []
        self.gate = Gate(
            ToolPolicy.from_json(policy),
            DesktopCaller(Deployment("hitl-approval"), "rita"),
            to_client=self.client.writer,
            to_server=self.server.writer,
            wait=wait,
            say=self.said.append,
        )

    def send(self, method: str, params: Any = None, **more: Any) -> None:
        self.gate.from_client(
            json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}} | more)
        )

    def call(self, tool: str, arguments: Any = None, call_id: Any = 1, **more: Any) -> None:
        params = {"name": tool, "arguments": arguments or {}, **more}
        self.send("tools/call", params, id=call_id)

    def asked(self) -> list[dict[str, Any]]:
        return self.cloud.started

    @property
    def approval_id(self) -> str:
        """Of the call that was asked last."""
        asked = [line for line in self.said if line.startswith("asked ")]
        return asked[-1].removeprefix("asked ").partition(":")[0]

    def wait_until(self, happened: Callable[[], Any]) -> None:
        for _ in range(2_000):
            if happened():
                return
            Event().wait(0.005)
        raise AssertionError(self.client.lines, self.server.lines, self.said)

    def until_asked(self, count: int = 1) -> str:
        self.wait_until(lambda: sum(line.startswith("asked") for line in self.said) >= count)
        return self.approval_id

    def decide(self, approval_id: str, decision: Literal["approved", "rejected"]) -> None:
        self.cloud.decisions.decide(
            approval_id, OPS, decision, "seen", content_digest=None, values=NOTHING
        )

    def change(self, approval_id: str, **changes: Any) -> None:
        """Approve, with other arguments."""
        values = Values(changes={f"arguments.{name}": value for name, value in changes.items()})
        digest = self.cloud.decisions.get(approval_id).content_digest
        self.cloud.decisions.decide(
            approval_id, OPS, "approved", "seen", content_digest=digest, values=values
        )

    def arguments(self) -> Any:
        """With which the call has run that the server got last."""
        return self.server.lines[-1]["params"]["arguments"]

    def text(self) -> str:
        """What the model is answered."""
        result = self.client.lines[-1]["result"]
        assert result["isError"]
        found: str = result["content"][0]["text"]
        return found


@pytest.fixture
def desks(cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Desk]]:
    monkeypatch.setattr(mcp_gate, "POLL", 0.01)
    made: list[Desk] = []

    def make(wait: float = 30, **more: Any) -> Desk:
        made.append(Desk(cloud, wait, **more))
        return made[-1]

    yield make
    for desk in made:
        desk.gate.close()


@pytest.fixture
def desk(desks: Callable[..., Desk]) -> Desk:
    return desks()


class TestForwarding:
    def test_should_pass_everything_but_calls(self, desk: Desk) -> None:
        desk.send("initialize", {"protocolVersion": "2025-11-25"})
        desk.send("tools/list")
        desk.gate.from_client('{"jsonrpc":"2.0","method":"notifications/initialized"}')
        desk.gate.from_client('{"jsonrpc":"2.0","id":"s1","result":{"action":"accept"}}')
        desk.gate.from_client("")
        assert [line.get("method") for line in desk.server.lines] == [
            "initialize",
            "tools/list",
            "notifications/initialized",
            None,
        ]
        desk.gate.from_server('{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}')
        desk.gate.from_server('{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}')
        assert len(desk.client.lines) == 2

    def test_should_run_at_once_what_is_allowed(self, desk: Desk) -> None:
        desk.call("read_file", {"path": "a"})
        assert desk.server.lines[0]["params"] == {"name": "read_file", "arguments": {"path": "a"}}
        assert not desk.asked()

    def test_should_answer_what_is_denied_and_ask_nobody(self, desk: Desk) -> None:
        desk.call("drop_table")
        assert desk.text() == "not done, denied by policy: never"
        assert not desk.server.lines
        assert not desk.asked()

    def test_should_keep_what_the_server_writes_by_mistake_from_the_client(
        self, desk: Desk
    ) -> None:
        desk.gate.from_server("starting up...")
        assert not desk.client.lines
        assert desk.said == ["the server wrote what is no message: starting up..."]

    @pytest.mark.parametrize("line", UNCLEAR)
    def test_should_forward_nothing_that_a_server_could_read_otherwise(
        self, desk: Desk, line: str
    ) -> None:
        desk.gate.from_client(line)
        assert not desk.server.lines
        assert desk.client.lines[0]["error"]["code"] < 0

    def test_should_write_again_what_it_has_read(self, desk: Desk) -> None:
        desk.gate.from_client(
            '{"jsonrpc":"2.0","id":1,"method":"tools/call","method":"ping",'
            '"params":{"name":"delete_x"}}'
        )
        assert desk.server.lines[0]["method"] == "ping"


class TestAsking:
    def test_should_run_once_approved_with_exactly_what_was_shown(self, desk: Desk) -> None:
        desk.call("delete_file", {"path": "/data/a", "force": True})
        approval_id = desk.until_asked()
        assert not desk.server.lines
        [event] = desk.asked()
        assert event["requester"] == "rita"
        assert event["approvers"] == ["ops"]
        assert event["timeout_seconds"] == 600
        assert event["context"]["arguments"] == {"path": "/data/a", "force": True}
        desk.decide(approval_id, "approved")
        desk.wait_until(lambda: desk.server.lines)
        [run] = desk.server.lines
        assert run["params"]["arguments"] == {"path": "/data/a", "force": True}
        assert run["id"] == 1
        desk.gate.from_server('{"jsonrpc":"2.0","id":1,"result":{"content":[]}}')
        assert desk.client.lines == [{"jsonrpc": "2.0", "id": 1, "result": {"content": []}}]

    def test_should_say_why_people_refused(self, desk: Desk) -> None:
        desk.call("delete_file", {"path": "a"})
        desk.decide(desk.until_asked(), "rejected")
        desk.wait_until(lambda: desk.client.lines)
        assert "REJECTED" in desk.text()
        assert "Comment: seen" in desk.text()
        assert not desk.server.lines

    def test_should_ask_for_each_of_two_equal_calls(self, desk: Desk) -> None:
        desk.call("delete_file", {"path": "a"}, 1)
        first = desk.until_asked()
        desk.call("delete_file", {"path": "a"}, 2)
        desk.until_asked(2)
        desk.decide(first, "approved")
        desk.wait_until(lambda: desk.server.lines)
        Event().wait(0.05)
        assert [line["id"] for line in desk.server.lines] == [1]

    def test_should_refuse_a_second_call_of_the_same_id(self, desk: Desk) -> None:
        desk.call("delete_file", {"path": "a"}, 1)
        desk.until_asked()
        desk.call("delete_file", {"path": "b"}, 1)
        assert desk.client.lines[0]["error"]["code"] == -32600
        assert len(desk.asked()) == 1

    def test_should_go_on_waiting_when_the_same_call_comes_again(
        self, desks: Callable[..., Desk]
    ) -> None:
        desk = desks(wait=0.03)
        desk.call("delete_file", {"path": "a"}, 1)
        approval_id = desk.until_asked()
        desk.wait_until(lambda: desk.client.lines)
        assert "not yet: it waits for ops" in desk.text()
        desk.call("delete_file", {"path": "b"}, 2)  # another one, which is asked anew
        desk.until_asked(2)
        desk.wait_until(lambda: len(desk.client.lines) == 2)
        desk.decide(approval_id, "approved")
        desk.call("delete_file", {"path": "a"}, 3)
        desk.wait_until(lambda: desk.server.lines)
        assert len(desk.asked()) == 2
        desk.call("delete_file", {"path": "a"}, 4)  # the approval was for one run
        desk.wait_until(lambda: len(desk.asked()) == 3)
        assert [line["id"] for line in desk.server.lines] == [3]

    def test_should_ask_once_where_the_policy_says_so(self, desk: Desk) -> None:
        desk.call("move_file", {"path": "a"}, 1)
        desk.decide(desk.until_asked(), "approved")
        desk.wait_until(lambda: desk.server.lines)
        desk.call("move_file", {"path": "a"}, 2)
        desk.wait_until(lambda: len(desk.server.lines) == 2)
        assert len(desk.asked()) == 1
        desk.call("move_file", {"path": "b"}, 3)
        desk.wait_until(lambda: len(desk.asked()) == 2)

    def test_should_withdraw_what_the_client_cancels(self, desk: Desk) -> None:
        desk.call("delete_file", {"path": "a"})
        approval_id = desk.until_asked()
        desk.send("notifications/cancelled", {"requestId": 1})
        desk.wait_until(lambda: f"withdrawn {approval_id}" in desk.said)
        assert desk.cloud.decisions.get(approval_id).status == "cancelled"
        assert not desk.client.lines
        assert not desk.server.lines

    def test_should_not_run_what_is_cancelled_at_the_last_moment(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        compared = Event()

        def cancel(call: Call, _: Any) -> Call:
            desk.send("notifications/cancelled", {"requestId": 1})
            compared.set()
            return call

        monkeypatch.setattr(mcp_gate, "as_approved", cancel)
        desk.call("delete_file", {"path": "a"})
        desk.decide(desk.until_asked(), "approved")
        assert compared.wait(10)
        desk.gate.close()  # waits for who asks
        assert not desk.server.lines
        assert not desk.client.lines

    def test_should_pass_on_the_cancellation_of_what_runs(self, desk: Desk) -> None:
        desk.call("read_file")
        desk.send("notifications/cancelled", {"requestId": 1})
        assert desk.server.lines[1]["method"] == "notifications/cancelled"

    def test_should_withdraw_what_is_held_when_the_client_has_gone(
        self, desks: Callable[..., Desk]
    ) -> None:
        desk = desks(wait=0.03)
        desk.call("delete_file", {"path": "a"}, 1)
        left = desk.until_asked()
        desk.wait_until(lambda: desk.client.lines)
        desk.gate.close()
        assert desk.cloud.decisions.get(left).status == "cancelled"

    def test_should_ask_where_an_argument_that_a_rule_reads_was_not_read(self, desk: Desk) -> None:
        desk.call("pay", {"amount": 99})
        desk.call("pay", {"amount": "99"}, 2)
        desk.until_asked()
        assert [line["id"] for line in desk.server.lines] == [1]

    def test_should_mask_what_is_sensitive(self, desk: Desk) -> None:
        desk.call("card", {"number": "4111"})
        desk.until_asked()
        [event] = desk.asked()
        assert event["sensitive"] == ["arguments.number"]
        assert "4111" not in event["subject"]

    def test_should_ask_for_as_many_as_the_policy_says(self, desk: Desk) -> None:
        desk.call("two")
        desk.until_asked()
        [event] = desk.asked()
        assert [stage["approvers"] for stage in event["stages"]] == [["ann", "ops"]]

    def test_should_say_that_people_could_not_be_asked(self, desk: Desk) -> None:
        desk.call("delete_file", {"path": "a" * 200_000})
        assert desk.text().startswith("not done, people could not be asked: ")
        assert not desk.asked()
        desk.cloud.asks, desk.cloud.execution = (
            False,
            {
                "Status": "FAILED",
                "Error": {
                    "ErrorType": "hitl_approval.InvalidRequest",
                    "ErrorMessage": "approvers: no",
                },
            },
        )
        desk.call("delete_file", {"path": "a"})
        desk.wait_until(lambda: len(desk.client.lines) == 2)
        assert desk.text() == "not done, people could not be asked: approvers: no"
        assert not desk.server.lines

    def test_should_run_nothing_when_the_record_is_of_another_call(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        call = DesktopCaller.act
        other = {"status": "approved", "context_digest": "0" * 64}

        def altered(caller: Any, action: Any, *more: Any) -> Any:
            found = call(caller, action, *more)
            return {**found, **other} if found["status"] == "approved" else found

        monkeypatch.setattr(DesktopCaller, "act", altered)
        desk.call("delete_file", {"path": "a"})
        desk.decide(desk.until_asked(), "approved")
        desk.wait_until(lambda: desk.client.lines)
        assert "not the call that was approved" in desk.text()
        assert not desk.server.lines

    def test_should_run_nothing_when_something_breaks(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: Any) -> Any:
            raise RuntimeError("secret")

        monkeypatch.setattr(mcp_gate, "as_approved", broken)
        desk.call("delete_file", {"path": "a"})
        desk.decide(desk.until_asked(), "approved")
        desk.wait_until(lambda: desk.client.lines)
        assert "secret" not in desk.text()
        assert not desk.server.lines

    def test_should_say_that_it_waits_where_the_client_wants_to_know(self, desk: Desk) -> None:
        desk.call("delete_file", {"path": "a"}, _meta={"progressToken": "t"})
        desk.wait_until(lambda: desk.client.lines)
        assert desk.client.lines[0]["params"]["progressToken"] == "t"


class TestEditing:
    GIVEN: ClassVar = {"path": "/a", "text": "old", "amount": 70}

    def test_should_run_what_an_approver_has_made_of_it(self, desk: Desk) -> None:
        desk.call("write_file", self.GIVEN, _meta={"progressToken": "t"})
        approval_id = desk.until_asked()
        [event] = desk.asked()
        assert event["editable"] == ["arguments.text", "arguments.amount"]
        assert event["context"]["arguments"] == self.GIVEN
        desk.change(approval_id, text="new", amount=35)
        desk.wait_until(lambda: desk.server.lines)
        assert desk.arguments() == {"path": "/a", "text": "new", "amount": 35}
        assert desk.server.lines[0]["params"]["_meta"] == {"progressToken": "t"}

    def test_should_run_what_was_asked_where_nobody_has_changed_it(self, desk: Desk) -> None:
        desk.call("write_file", self.GIVEN)
        desk.decide(desk.until_asked(), "approved")
        desk.wait_until(lambda: desk.server.lines)
        assert desk.arguments() == self.GIVEN

    def test_should_let_people_change_only_what_the_call_has(self, desk: Desk) -> None:
        desk.call("write_file", {"path": "/a", "text": {"nested": 1}, "amount": 70})
        desk.until_asked()
        [event] = desk.asked()
        assert event["editable"] == ["arguments.amount"]

    def test_should_run_it_so_again_where_the_answer_holds(self, desk: Desk) -> None:
        desk.call("write_file", self.GIVEN, 1)
        desk.change(desk.until_asked(), text="new")
        desk.wait_until(lambda: desk.server.lines)
        desk.call("write_file", self.GIVEN, 2)
        desk.wait_until(lambda: len(desk.server.lines) == 2)
        assert desk.arguments()["text"] == "new"
        assert len(desk.asked()) == 1

    def test_should_run_it_so_where_it_was_called_again_meanwhile(
        self, desks: Callable[..., Desk]
    ) -> None:
        desk = desks(wait=0.03)
        desk.call("write_file", self.GIVEN, 1)
        approval_id = desk.until_asked()
        desk.wait_until(lambda: desk.client.lines)
        desk.change(approval_id, text="new")
        desk.call("write_file", self.GIVEN, 2)
        desk.wait_until(lambda: desk.server.lines)
        assert desk.arguments()["text"] == "new"

    def test_should_go_on_so_where_the_server_asks_something_on_the_way(self, desk: Desk) -> None:
        desk.call("write_file", self.GIVEN)
        desk.change(desk.until_asked(), text="new")
        desk.wait_until(lambda: desk.server.lines)
        desk.gate.from_server(TestGoingOn.ASKS)
        more: dict[str, Any] = {"requestState": "s", "inputResponses": {"a": {}}}
        desk.call("write_file", self.GIVEN, 2, **more)
        assert desk.arguments()["text"] == "new"
        assert desk.server.lines[-1]["params"]["inputResponses"] == {"a": {}}

    @pytest.mark.parametrize("altered", [{"path": "/b"}, {"text": 7}, {"more": 1}])
    def test_should_run_nothing_where_something_else_was_changed(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch, altered: dict[str, Any]
    ) -> None:
        act = DesktopCaller.act

        def other(caller: Any, action: Any, *more: Any) -> Any:
            found = dict(act(caller, action, *more))
            if found["status"] == "approved":
                context = found["context"]
                context = {**context, "arguments": {**context["arguments"], **altered}}
                found |= {"context": context, "context_digest": digest_json(context)}
            return found

        monkeypatch.setattr(DesktopCaller, "act", other)
        desk.call("write_file", self.GIVEN)
        desk.decide(desk.until_asked(), "approved")
        desk.wait_until(lambda: desk.client.lines)
        assert "not the call that was approved" in desk.text()
        assert not desk.server.lines

    def test_should_not_let_an_approver_change_what_a_rule_reads(self, desk: Desk) -> None:
        desk.call("send", {"size": 10})
        assert "who decides may not change what says who decides" in desk.text()
        assert not desk.asked()


class TestNames:
    """What the server has said of its tools' arguments."""

    def listed(self, desk: Desk, **tools: Any) -> None:
        desk.send("tools/list", id="l")
        self.said(desk, "l", **tools)

    def said(self, desk: Desk, call_id: Any, **tools: Any) -> None:
        said = [{"name": name, "inputSchema": schema} for name, schema in tools.items()]
        result = {"tools": [*said, 7, {"name": 7}]}
        desk.gate.from_server(json.dumps({"jsonrpc": "2.0", "id": call_id, "result": result}))
        desk.client.lines.clear()

    CARD: ClassVar = {"type": "object", "properties": {"nmuber": {"type": "string"}}}

    def test_should_not_ask_while_a_name_of_the_policy_is_misspelled(self, desk: Desk) -> None:
        self.listed(desk, card=self.CARD)
        desk.call("card", {"nmuber": "4111"})
        assert desk.text() == (
            "not done, people could not be asked: sensitive: names 'number', which is no argument "
            "of card: it has nmuber"
        )
        assert not desk.asked()

    def test_should_ask_where_the_server_has_listed_nothing(self, desk: Desk) -> None:
        self.said(desk, "m", card=self.CARD)  # answers no question for its tools
        self.said(desk, {"id": []}, card=self.CARD)
        desk.call("card", {"nmuber": "4111"})
        desk.until_asked()


class TestGoingOn:
    """A server that asks something on the way: the client calls again with the answer."""

    ASKS = '{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","requestState":"s"}}'

    def run(self, desk: Desk) -> None:
        desk.call("delete_file", {"path": "a"})
        desk.decide(desk.until_asked(), "approved")
        desk.wait_until(lambda: desk.server.lines)
        desk.gate.from_server(self.ASKS)

    def test_should_let_the_same_call_go_on_once(self, desk: Desk) -> None:
        self.run(desk)
        more: dict[str, Any] = {"requestState": "s", "inputResponses": {"a": {}}}
        desk.call("delete_file", {"path": "a"}, 2, **more)
        assert [line["id"] for line in desk.server.lines] == [1, 2]
        desk.call("delete_file", {"path": "a"}, 3, **more)
        assert desk.client.lines[-1]["error"]["code"] == -32602
        assert len(desk.server.lines) == 2

    @pytest.mark.parametrize(("path", "state"), [("b", "s"), ("a", "t"), ("a", None)])
    def test_should_not_take_another_call_for_it(
        self, desk: Desk, path: str, state: str | None
    ) -> None:
        self.run(desk)
        desk.call("delete_file", {"path": path}, 2, requestState=state, inputResponses={})
        assert desk.client.lines[-1]["error"]["code"] == -32602
        assert len(desk.server.lines) == 1
