"""Messages, one a line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hitl_approval_cli.mcp_lines import Writer, lines


def reader(*chunks: bytes) -> Callable[[int], bytes]:
    rest = iter([*chunks, b""])
    return lambda _: next(rest)


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ((), []),
        ((b"a\nb\n",), ["a", "b"]),
        ((b"a", b"b\nc"), ["ab", "c"]),
        ((b"\n\n",), ["", ""]),
        ((b"\xc3", b"\xbc\n"), ["ü"]),
        ((b"\xff\n",), ["\udcff"]),
        ((b"a" * 8, b"b" * 8 + b"\nc\n"), ["a" * 8 + "b" * 3, "c"]),
    ],
)
def test_should_read_lines_and_cut_those_that_are_too_long(
    chunks: tuple[bytes, ...], expected: list[str]
) -> None:
    assert list(lines(reader(*chunks), 10)) == expected


def test_should_write_whole_lines() -> None:
    written: list[bytes] = []
    flushed: list[None] = []
    Writer(written.append, lambda: flushed.append(None)).line('{"a": 1}')
    assert written == [b'{"a": 1}\n']
    assert flushed == [None]
