"""JSON-RPC 2.0 as MCP narrows it."""

from __future__ import annotations

import pytest

from hitl_approval.mcp import rpc
from hitl_approval.mcp.rpc import Message, RpcError


def test_should_read_a_request_and_a_notification() -> None:
    assert rpc.parse('{"jsonrpc":"2.0","id":"a","method":"m"}') == Message("m", {}, "a")
    assert rpc.parse('{"jsonrpc":"2.0","method":"m","params":{"a":1}}') == Message("m", {"a": 1})


@pytest.mark.parametrize(
    ("written", "code", "about"),
    [
        ("", rpc.PARSE_ERROR, None),
        ("{", rpc.PARSE_ERROR, None),
        ('{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":NaN}}', rpc.PARSE_ERROR, None),
        ("[" * 100_000, rpc.PARSE_ERROR, None),
        ("9" * 10_000, rpc.PARSE_ERROR, None),
        (f'"{"a" * rpc.MAX_MESSAGE}"', rpc.INVALID_REQUEST, None),
        ("[]", rpc.INVALID_REQUEST, None),
        ('[{"jsonrpc":"2.0","id":1,"method":"m"}]', rpc.INVALID_REQUEST, None),
        ("7", rpc.INVALID_REQUEST, None),
        ('{"id":1,"method":"m"}', rpc.INVALID_REQUEST, 1),
        ('{"jsonrpc":"2.0","id":1}', rpc.INVALID_REQUEST, 1),
        ('{"jsonrpc":"2.0","id":1,"result":{}}', rpc.INVALID_REQUEST, 1),
        ('{"jsonrpc":"2.0","id":1,"method":2}', rpc.INVALID_REQUEST, 1),
        ('{"jsonrpc":"2.0","id":1,"method":"m","params":[]}', rpc.INVALID_PARAMS, 1),
        ('{"jsonrpc":"2.0","id":null,"method":"m"}', rpc.INVALID_REQUEST, None),
        ('{"jsonrpc":"2.0","id":true,"method":"m"}', rpc.INVALID_REQUEST, None),
        ('{"jsonrpc":"2.0","id":1.5,"method":"m"}', rpc.INVALID_REQUEST, None),
        ('{"jsonrpc":"2.0","id":9007199254740993,"method":"m"}', rpc.INVALID_REQUEST, None),
        ('{"jsonrpc":"2.0","id":"%s","method":"m"}' % ("a" * 1_001), rpc.INVALID_REQUEST, None),
    ],
)
def test_should_refuse_what_is_no_message(written: str, code: int, about: int | None) -> None:
    with pytest.raises(RpcError) as refused:
        rpc.parse(written)
    assert refused.value.code == code
    assert refused.value.about == about
    assert 400 <= refused.value.status < 500


def test_should_answer_with_the_id_of_the_message_where_it_has_one() -> None:
    error = RpcError(rpc.INVALID_PARAMS, "no", about="a", data={"why": 1})
    assert error.to_dict() == {
        "jsonrpc": "2.0",
        "id": "a",
        "error": {"code": -32602, "message": "no", "data": {"why": 1}},
    }
    assert "id" not in RpcError(rpc.PARSE_ERROR, "no").to_dict()
    assert rpc.result_of(Message("m", {}, 0), {"a": 1}) == {
        "jsonrpc": "2.0",
        "id": 0,
        "result": {"a": 1},
    }


def test_should_write_one_line_of_ascii() -> None:
    assert rpc.dump({"a": "ü\n\u2028"}) == '{"a": "\\u00fc\\n\\u2028"}'
