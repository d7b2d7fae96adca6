"""The gate before another server's tools: what the policy asks for runs when people approve it.

Every message is read, and written again from what was read: no server can read another call in the
same bytes. A call runs at most once, and by an approval of exactly its arguments.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import Any, Final, NamedTuple

from hitl_approval.domain import text
from hitl_approval.domain.call import ArgumentsChanged, Call
from hitl_approval.domain.errors import ApprovalError, InvalidRequest, Unavailable
from hitl_approval.domain.tool_arguments import ToolArguments
from hitl_approval.domain.tool_policy import ToolPolicy, ToolRule
from hitl_approval.mcp import asking, rpc
from hitl_approval.mcp.caller import Caller
from hitl_approval.mcp.rpc import Message, RpcError
from hitl_approval.mcp.shown import sentence, tool_error
from hitl_approval_cli.mcp_asking import as_approved, call_of, event_of, with_arguments
from hitl_approval_cli.mcp_lines import Writer
from hitl_approval_cli.mcp_names import check_names, check_values

logger = logging.getLogger(__name__)

MAX_LINE: Final = 8 * 1024 * 1024
"""Longest message that is forwarded, in characters: a file that a tool writes may be large."""
POLL: Final = 2.0
"""Seconds between two reads of a record, as `hitl submit --wait` has them."""
GONE: Final = "the agent that asked has gone"
_CALL: Final = "tools/call"
_LIST: Final = "tools/list"
_CANCELLED: Final = "notifications/cancelled"
_LATER: Final = ("requestState", "inputResponses")
"""What a call has that goes on where an earlier one was asked something by the server."""

Id = str | int


@dataclass
class Held:
    """A call that people are asked about.

    Attributes:
        message: the client's.
        line: what the server gets when it may run.
        call: what people see.
        rule: why they are asked.
        cancelled: set when the client does not wait any more.
        thread: asks and waits.
    """

    message: Message
    line: str
    call: Call
    rule: ToolRule | None
    cancelled: Event = field(default_factory=Event)
    thread: Thread | None = None


class Runs(NamedTuple):
    """A call that people have approved: as it was asked, and as it runs."""

    asked: Call
    approved: Call


class Gate:
    """Stands between a client and a server.

    Args:
        policy: which tools run at once, which never, and which are asked for.
        caller: who asks.
        to_client: takes what the client reads.
        to_server: takes what the server reads.
        wait: how long a call is held, in seconds.
        say: takes a line for people, which is logged.
    """

    def __init__(
        self,
        policy: ToolPolicy,
        caller: Caller,
        *,
        to_client: Writer,
        to_server: Writer,
        wait: float,
        say: Callable[[str], object],
    ) -> None:
        self._policy, self._caller, self._wait, self._say = policy, caller, wait, say
        self._to_client, self._to_server = to_client, to_server
        self._lock = Lock()
        self._held: dict[Id | None, Held] = {}
        self._left: dict[str, list[str]] = {}
        self._arguments, self._listing = ToolArguments(), set[Id | None]()
        self._running: dict[Id | None, Runs] = {}
        self._asked_on: dict[tuple[str, str], Runs] = {}
        self._once: dict[str, Mapping[str, Any]] = {}

    def from_client(self, line: str) -> None:
        """Take one message of the client.

        Raises:
            OSError: the server or the client does not read any more.
        """
        if not line.strip():
            return
        try:
            self._take(line)
        except RpcError as error:
            self._to_client.line(rpc.dump(error.to_dict()))

    def from_server(self, line: str) -> None:
        """Take one message of the server.

        Raises:
            OSError: the client does not read any more.
        """
        if not line.strip():
            return
        try:
            value = rpc.load(line, MAX_LINE)
        except RpcError:
            self._say(f"the server wrote what is no message: {text.cut(line)}")
            return
        if isinstance(value, dict) and "method" not in value:
            self._note_answer(value)
        self._to_client.line(rpc.dump(value))

    def close(self) -> None:
        """Withdraw what nobody waits for any more."""
        with self._lock:
            held, left = list(self._held.values()), self._left
            self._left = {}
        for call in held:
            call.cancelled.set()
        for approval_id in (one for ids in left.values() for one in ids):
            self._withdraw(approval_id, GONE)
        for call in held:
            if call.thread is not None:
                call.thread.join(timeout=30)

    def _take(self, line: str) -> None:
        value = rpc.load(line, MAX_LINE)
        if isinstance(value, dict):
            check_names(value, ("method", "params", "id", "jsonrpc", "result", "error"))
            if "method" not in value:  # answers a question of the server
                self._to_server.line(rpc.dump(value))
                return
        message = rpc.read(value)
        if message.method == _CALL:
            if message.id is None:
                raise RpcError(rpc.INVALID_REQUEST, "a call of a tool has an id")
            self._call(message, rpc.dump(value))
            return
        if message.method == _LIST:
            with self._lock:
                self._listing.add(message.id)
        if message.method == _CANCELLED and self._cancel(message.params.get("requestId")):
            return
        self._to_server.line(rpc.dump(value))

    def _call(self, message: Message, line: str) -> None:
        tool, given = message.params.get("name"), message.params.get("arguments")
        arguments = {} if given is None else given
        if not isinstance(tool, str) or not isinstance(arguments, Mapping):
            rule = "a call has a text name and an object of arguments"
            raise RpcError(rpc.INVALID_PARAMS, rule, about=message.id)
        check_names(message.params, ("name", "arguments", *_LATER), about=message.id)
        check_values(arguments, about=message.id)
        ruling = self._policy.rule_on(tool, arguments)
        if ruling.action == "allow":
            self._to_server.line(line)
            return
        if ruling.action == "deny":
            why = ruling.rule.reason if ruling.rule else ""
            self._refuse(message, f"denied by policy{f': {why}' if why else ''}")
            return
        try:
            self._arguments.check(tool, self._policy)
            call = call_of(tool, arguments, ruling)
        except InvalidRequest as error:
            self._refuse(message, f"people could not be asked: {error}")
            return
        if any(message.params.get(name) is not None for name in _LATER):
            self._go_on(message, line, call)
            return
        if (known := self._once.get(call.digest)) is not None:
            self._follow(message, line, call, known)
            return
        self._hold(Held(message, line, call, ruling.rule))

    def _go_on(self, message: Message, line: str, call: Call) -> None:
        """A call that people have approved, with answers to what the server asked meanwhile."""
        key = (call.digest, str(message.params.get("requestState")))
        with self._lock:
            known = self._asked_on.pop(key, None)
        if known is None:
            rule = "requestState is none of a call that people have approved"
            raise RpcError(rpc.INVALID_PARAMS, rule, about=message.id)
        self._forward(message, line, known)

    def _hold(self, held: Held) -> None:
        call_id = held.message.id
        with self._lock:
            if call_id in self._held or call_id in self._running:
                rule = "id is the one of a call that is not answered yet"
                raise RpcError(rpc.INVALID_REQUEST, rule)
            self._held[call_id] = held
        held.thread = Thread(target=self._decide, args=(held,), daemon=True)
        held.thread.start()

    def _decide(self, held: Held) -> None:
        """Ask people, wait for them and do what they say. Never runs what they did not approve."""
        try:
            with self._lock:
                left = self._left.get(held.call.digest, [])
                known = left.pop(0) if left else None
            if known is None:
                event = event_of(held.call, held.rule)
                known = str(asking.ask(self._caller, event, None)["approval_id"])
                self._say(f"asked {known}: {held.call.subject}")
            record = self._poll(held, known)
            if held.cancelled.is_set():
                self._withdraw(known, GONE)
            elif record is None or record["status"] == "pending":
                self._leave(held, known, record)
            else:
                if held.rule is not None and held.rule.once is not None:
                    self._once[held.call.digest] = record
                self._follow(held.message, held.line, held.call, record)
        except ApprovalError as error:
            self._refuse(held.message, f"people could not be asked: {error}")
        except OSError as error:  # the other side has gone, which ends this process
            logger.info("not written: %s", error.strerror)
        except Exception:  # whatever it is, the client gets an answer and the call is not run
            logger.exception("a call was not run")
            self._refuse(held.message, "something went wrong in the gate: its log has the details")
        finally:
            with self._lock:
                if self._held.get(held.message.id) is held:
                    del self._held[held.message.id]

    def _poll(self, held: Held, approval_id: str) -> Mapping[str, Any] | None:
        waited, record = 0.0, None
        while True:
            with suppress(Unavailable):  # read again
                record = asking.own(self._caller, approval_id)
                if record["status"] != "pending":
                    return record
            if waited >= self._wait or held.cancelled.wait(min(POLL, self._wait)):
                return record
            waited += POLL
            self._progress(held.message, waited)

    def _leave(self, held: Held, approval_id: str, record: Mapping[str, Any] | None) -> None:
        """Answer that people have not decided: the same call goes on waiting."""
        with self._lock:
            self._left.setdefault(held.call.digest, []).append(approval_id)
        asked = text.listed_some(record["approvers"]) if record else ""
        self._refuse(
            held.message,
            f"not yet: it waits for {asked or 'people'} to approve it. Call {held.call.tool} again "
            f"with exactly the same arguments to go on waiting; it runs once they have approved. "
            f"approval_id: {approval_id}",
        )

    def _follow(self, message: Message, line: str, call: Call, record: Mapping[str, Any]) -> None:
        """Do with a call what people have decided."""
        if record["status"] != "approved":
            self._refuse(message, sentence(record))
            return
        try:
            approved = as_approved(call, record)
        except ArgumentsChanged as error:
            self._refuse(message, str(error))
            return
        self._say(f"approved {record['approval_id']}: {call.subject}")
        self._forward(message, line, Runs(call, approved))

    def _forward(self, message: Message, line: str, call: Runs) -> None:
        """Let a call run, with the arguments that people have approved."""
        call_id = message.id
        if call.approved != call.asked:
            line = with_arguments(line, call.approved)
        with self._lock:
            held = self._held.pop(call_id, None)
            if held is not None and held.cancelled.is_set():
                return
            self._running[call_id] = call
        self._to_server.line(line)

    def _note_answer(self, value: Mapping[str, Any]) -> None:
        """What a server says of its tools, and what it asks on the way of an approved call.

        That the client may answer once.
        """
        call_id, result = value.get("id"), value.get("result")
        if not isinstance(call_id, str | int):
            return
        result = result if isinstance(result, Mapping) else {}
        with self._lock:
            listed, call = call_id in self._listing, self._running.pop(call_id, None)
            self._listing.discard(call_id)
            if call is not None and result.get("resultType") == "input_required":
                self._asked_on[call.asked.digest, str(result.get("requestState"))] = call
        tools = result.get("tools")
        for tool in tools if listed and isinstance(tools, list) else ():
            if isinstance(tool, Mapping) and isinstance(name := tool.get("name"), str):
                self._arguments.note(name, tool.get("inputSchema"))

    def _cancel(self, call_id: Any) -> bool:
        """Whether it was a call that people are asked about, which is withdrawn then."""
        with self._lock:
            held = self._held.get(call_id) if isinstance(call_id, str | int) else None
            if held is not None:
                held.cancelled.set()
            elif isinstance(call_id, str | int):
                self._running.pop(call_id, None)
        return held is not None

    def _withdraw(self, approval_id: str, reason: str) -> None:
        try:
            asking.withdraw(self._caller, approval_id, reason)
        except ApprovalError as error:  # decided meanwhile, say: nothing runs by it
            self._say(f"not withdrawn {approval_id}: {error}")
        else:
            self._say(f"withdrawn {approval_id}")

    def _refuse(self, message: Message, reason: str) -> None:
        """Answer a call with why it was not done, which a model reads."""
        meta = message.params.get("_meta")
        modern = isinstance(meta, Mapping) and any("protocolVersion" in str(name) for name in meta)
        kind = {"resultType": "complete"} if modern else {}
        result = {**kind, **tool_error(f"not done, {reason}")}
        self._to_client.line(rpc.dump(rpc.result_of(message, result)))

    def _progress(self, message: Message, waited: float) -> None:
        meta = message.params.get("_meta")
        token = meta.get("progressToken") if isinstance(meta, Mapping) else None
        if isinstance(token, str | int):
            said = {"progressToken": token, "progress": waited, "message": "waiting for people"}
            note = {"jsonrpc": "2.0", "method": "notifications/progress", "params": said}
            self._to_client.line(json.dumps(note))
