"""How the words of a person are read: names, ids, lengths of time, moments, pages."""

from __future__ import annotations

import getpass
import io
import shlex
from datetime import UTC, datetime, timedelta

import pytest

from hitl_approval.contract import DEFAULT_STACK_NAME
from hitl_approval_cli import clock
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.errors import CliError
from hitl_approval_cli.parameters import ids_of, length, moment, next_page, os_user, seconds

HERE = Deployment(DEFAULT_STACK_NAME)
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("45", 45), ("45s", 45), ("30m", 1_800), ("8h", 28_800), ("7d", 604_800),
        ("999999999", 999_999_999),
    ],
)  # fmt: skip
def test_should_read_a_length_of_time(words: str, found: int) -> None:
    assert length(words) == seconds(words) == found


@pytest.mark.parametrize(
    "words", ["", "0", "0d", "-1", "1.5h", "1 h", "h", "1w", "1H", "\u0661", "9999999999", "7d "]
)
def test_should_refuse_what_is_no_length_of_time(words: str) -> None:
    assert length(words) is None
    with pytest.raises(CliError) as refused:
        seconds(words, "--wait")
    assert str(refused.value) == f"--wait: must look like 45s, 30m, 8h or 7d, got {words!r}"
    assert refused.value.status == 2


def test_should_read_a_moment_in_the_past(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    assert moment(None) is None
    assert moment("7d") == NOW - timedelta(days=7)
    assert moment("2026-01-30T14:00:00+02:00") == datetime(2026, 1, 30, 12, tzinfo=UTC)
    local = moment("2026-01-30")
    assert local == datetime(2026, 1, 30).astimezone(UTC)
    assert local is not None
    assert local.tzinfo is UTC


@pytest.mark.parametrize("words", ["", "yesterday", "2026-02-30", "0001-01-01T00:00:00+14:00"])
def test_should_refuse_what_is_no_moment(words: str) -> None:
    with pytest.raises(CliError, match=r"^--since: must look like 30m, 8h, 7d, 2026-01-31 or"):
        moment(words)


@pytest.mark.parametrize("error", [OSError, KeyError])
def test_should_say_what_to_do_where_the_user_has_no_name(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "ann")
    assert os_user() == "ann"

    def nobody() -> str:
        raise error

    monkeypatch.setattr(getpass, "getuser", nobody)
    with pytest.raises(CliError, match="this user has no name: set HITL_USER"):
        os_user()


def _typed(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content), "utf-8"))


def test_should_read_ids_from_stdin_for_a_lone_dash(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ids_of(["a", "b"]) == ["a", "b"]
    assert ids_of(["-", "b"]) == ["-", "b"]
    _typed(monkeypatch, b" a\nb\tc\n\n")
    assert ids_of(["-"]) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("content", "line"),
    [(b" \n", "no approval ids on stdin"), (b"\xff\n", "stdin is not UTF-8 text")],
)
def test_should_say_what_is_wrong_with_stdin(
    monkeypatch: pytest.MonkeyPatch, content: bytes, line: str
) -> None:
    _typed(monkeypatch, content)
    with pytest.raises(CliError, match=line):
        ids_of(["-"])


def test_should_say_how_the_next_page_is_asked_for() -> None:
    assert next_page(HERE, "list", None, limit=20) == ""
    command = next_page(
        HERE, "inbox", "c=1", limit=5, name="ann; rm -rf ~", mine=True, status=None, all=False
    )
    assert shlex.split(command) == [
        *("hitl", "inbox", "--as", "ann; rm -rf ~", "--mine", "--limit", "5", "--cursor", "c=1"),
    ]
    assert next_page(HERE, "list", "c", limit=20) == "hitl list --cursor c"
