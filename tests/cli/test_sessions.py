"""A sign-in is kept for its user only, and damaged files are nobody's sign-in."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from hitl_approval_cli.sessions import (
    FOLDER_VARIABLE,
    Session,
    find_session,
    forget_session,
    keep_session,
)

PAGE = "https://approvals.example.com"
LATER, EARLIER = "2999-01-01T00:00:00+00:00", "2020-01-01T00:00:00+00:00"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "config"))
    return tmp_path / "config"


def test_should_keep_one_sign_in_for_each_page(folder: Path) -> None:
    ann = Session(PAGE, "ann@example.com", "token-1", LATER)
    other = Session("https://other.example.com", "bob@example.com", "token-2", EARLIER)
    for session in (ann, other, ann):
        keep_session(session)
    assert find_session(PAGE) == ann
    assert not ann.has_ended
    assert other.has_ended
    assert forget_session(PAGE)
    assert find_session(PAGE) is None
    assert find_session(other.page_url) == other
    assert not forget_session(PAGE)
    assert not forget_session(None)
    assert [path.name for path in folder.iterdir()] == ["sessions.json"]


def test_should_let_nobody_else_read_it(folder: Path) -> None:
    keep_session(Session(PAGE, "ann@example.com", "token-1", LATER))
    assert stat.S_IMODE((folder / "sessions.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '"x"',
        json.dumps({PAGE: {}}),
        json.dumps({PAGE: {"name": "ann", "token": "t", "expires_at": "tomorrow"}}),
        json.dumps({PAGE: {"name": "ann", "token": "t", "expires_at": LATER, "more": 1}}),
    ],
)
def test_should_take_a_damaged_file_for_no_sign_in(folder: Path, text: str) -> None:
    folder.mkdir()
    (folder / "sessions.json").write_text(text)
    assert find_session(PAGE) is None
    keep_session(Session(PAGE, "ann@example.com", "token-1", LATER))
    assert find_session(PAGE) is not None
