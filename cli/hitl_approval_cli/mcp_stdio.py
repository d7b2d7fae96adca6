"""The MCP server of `hitl mcp`: the same as the deployment's own, over stdin and stdout."""

from __future__ import annotations

from collections.abc import Iterable

from hitl_approval.mcp import rpc, server, versions
from hitl_approval.mcp.caller import Caller
from hitl_approval.mcp.rpc import RpcError
from hitl_approval_cli.mcp_lines import Writer


def serve(given: Iterable[str], to: Writer, caller: Caller) -> None:
    """Answer each line until there is none.

    Args:
        given: the lines of a client.
        to: takes the answers.
        caller: who asks.
    """
    legacy: str | None = None
    for line in given:
        if not line.strip():
            continue
        try:
            message = rpc.parse(line)
        except RpcError as error:
            to.line(rpc.dump(error.to_dict()))
            continue
        reply = server.answer(message, lambda: caller, legacy)
        if reply.body is None:
            continue
        if message.method == "initialize" and not versions.is_modern(message):
            legacy = reply.body.get("result", {}).get("protocolVersion", legacy)
        to.line(rpc.dump(reply.body))
