"""`hitl` as people and scripts use it: what it prints, how it ends, what it refuses."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from rich.console import Console

from hitl_approval.contract import LIBRARY_VERSION
from hitl_approval.domain.approval import derive_approval_id
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.view import view
from hitl_approval.testing import World
from hitl_approval_cli import approval_tables, main, output
from tests.anything import any_opening, any_request, declared

from .conftest import Hitl
from .fake_cloud import FakeCloud


def pending(world: World, **fields: object) -> str:
    opening = any_opening(request=any_request(**fields), now=world.clock.now())
    return world.store.create(opening).approval_id


def test_should_show_its_version(hitl: Hitl) -> None:
    result = hitl("--version")
    assert (result.status, result.out) == (0, f"{LIBRARY_VERSION}\n")


def test_should_submit_and_print_the_id_alone(hitl: Hitl, cloud: FakeCloud) -> None:
    result = hitl("submit", "--subject", "Q4 Budget", "--approver", "alice", "--timeout", "8h")

    assert result.status == 0
    (event,) = cloud.started
    assert event["document_id"].startswith("doc-")
    del event["document_id"]
    assert event == {
        "document_name": "Q4 Budget",
        "requester": "bob",
        "approvers": ["alice"],
        "timeout_seconds": 28800,
    }
    assert len(result.out.strip()) == 32


def test_should_derive_the_id_from_the_execution(hitl: Hitl) -> None:
    answer = hitl("submit", "--subject", "Q4", "--json").json
    assert answer["approval_id"] == derive_approval_id(answer["execution_arn"], "document")


def test_should_read_the_context_from_a_file(hitl: Hitl, cloud: FakeCloud, tmp_path: Path) -> None:
    file = tmp_path / "context.json"
    file.write_text('{"amount": 5}')
    assert hitl("submit", "--subject", "Q4", "--context", f"@{file}").status == 0
    assert cloud.started[0]["context"] == {"amount": 5}


def test_should_list_what_is_pending(hitl: Hitl, world: World) -> None:
    approval_id = pending(world)
    result = hitl("list")
    assert result.status == 0
    assert approval_id in result.out
    assert "Q4 Budget Proposal" in result.out
    assert hitl("list", "--json").json["approvals"][0]["approval_id"] == approval_id


def test_should_say_that_a_list_is_empty(hitl: Hitl) -> None:
    assert hitl("list", "--status", "rejected").out == "No rejected approvals.\n"


def test_should_say_how_to_get_the_next_page(hitl: Hitl, world: World) -> None:
    first, second = pending(world), pending(world)
    page = hitl("list", "--limit", "1", "--json").json
    assert "More: hitl list --status pending --limit 1 --cursor" in hitl("list", "--limit", "1").out
    rest = hitl("list", "--limit", "1", "--cursor", page["cursor"], "--json").json
    assert {page["approvals"][0]["approval_id"], rest["approvals"][0]["approval_id"]} == {
        first,
        second,
    }


@pytest.mark.parametrize(
    ("verb", "status"), [("approve", "approved"), ("reject", "rejected"), ("cancel", "cancelled")]
)
def test_should_decide(hitl: Hitl, world: World, verb: str, status: str) -> None:
    approval_id = pending(world)

    result = hitl(verb, approval_id, "-m", "because", "--yes")

    assert result.status == 0
    assert f"{approval_id} {status} by bob (workflow: resumed)" in result.out
    assert world.store.approvals[approval_id].comments == "because"
    assert "already" in hitl(verb, approval_id, "-m", "because", "--yes").out


def test_should_show_the_request_and_ask_in_a_terminal(hitl: Hitl, world: World) -> None:
    approval_id = pending(world, context={"amount": 5})

    no = hitl("approve", approval_id, stdin="n\n", terminal=True)
    assert '"amount": 5' in no.out
    assert "Nothing was changed." in no.err
    assert world.store.approvals[approval_id].pending

    yes = hitl("approve", approval_id, stdin="y\n", terminal=True)
    assert "approved" in yes.out
    assert world.store.approvals[approval_id].status == "approved"


def test_should_decide_nothing_when_the_question_is_not_answered(hitl: Hitl, world: World) -> None:
    approval_id = pending(world)
    result = hitl("approve", approval_id, terminal=True)
    assert (result.status, result.err) == (1, "hitl: nobody answered (NOT_ANSWERED)\n")
    assert world.store.approvals[approval_id].pending


@pytest.mark.parametrize(
    ("policy", "way_out"),
    [
        (
            Policy(),
            (
                "rita asked for this and cannot decide it: another person must, or cancel the "
                "request: --as NAME says who decides; a deployment with allow_self_approval takes "
                "the requester's own decision"
            ),
        ),
        (
            Policy(require_verified_identity=True),
            (
                "this request takes verified identities only: sign in, a name is not enough: "
                "decide by a personal link, or signed in"
            ),
        ),
    ],
    ids=["own request", "only verified"],
)
def test_should_name_the_way_out_of_a_refused_decision(
    hitl: Hitl, world: World, policy: Policy, way_out: str
) -> None:
    request = any_request(requester="rita")
    opening = any_opening(request=request, policy=policy, now=world.clock.now())
    approval_id = world.store.create(opening).approval_id
    refused = hitl("approve", approval_id, "--yes", "--as", "rita")
    assert (refused.status, refused.out, refused.err) == (1, "", f"hitl: {way_out} (FORBIDDEN)\n")


def test_should_ask_who_decides_when_the_user_has_no_name(
    hitl: Hitl, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nameless() -> str:
        raise OSError

    monkeypatch.setattr("getpass.getuser", nameless)
    monkeypatch.setenv("HITL_USER", "")
    result = hitl("approve", pending(world), "--yes")
    assert (result.status, result.err) == (2, "hitl: this user has no name: set HITL_USER\n")


def test_should_decide_many_and_let_one_bad_id_stop_nothing(hitl: Hitl, world: World) -> None:
    ids = [pending(world) for _ in range(49)]
    lines = [*ids[:20], "no-such-id", *ids[20:]]

    result = hitl("approve", "-", "--yes", "--json", stdin="\n".join(lines))

    assert result.status == 1
    assert len(result.out.splitlines()) == 49
    (error,) = result.err.splitlines()
    assert json.loads(error)["approval_id"] == "no-such-id"
    assert all(world.store.approvals[approval_id].status == "approved" for approval_id in ids)


def test_should_show_an_approval_and_its_history(hitl: Hitl, world: World) -> None:
    approval_id = pending(world, approvers=["bob", "carol"])
    hitl("approve", approval_id, "--yes", "-m", "fine")

    shown = hitl("get", approval_id).out
    trail = hitl("history", approval_id).out

    assert "bob, carol" in shown
    assert "bob (declared) approved: fine" in shown
    assert "requested" in trail
    assert "ok 2 events, chain verified" in trail
    assert "fine" in trail
    assert [e["event"] for e in hitl("history", approval_id, "--json").json["events"]] == [
        "requested",
        "approved",
    ]


def test_should_fail_when_a_trail_was_tampered_with(hitl: Hitl, world: World) -> None:
    approval_id = pending(world)
    hitl("reject", approval_id, "--yes")
    world.store.audit[approval_id].pop(0)

    result = hitl("history", approval_id)

    assert result.status == 1
    assert "tampered event 1: event 2 stands where 1 must" in result.out
    assert hitl("history", approval_id, "--json").status == 1


def test_should_show_hostile_text_inert(hitl: Hitl, world: World) -> None:
    approval_id = pending(
        world, subject="[bold red]<script>[/] :bomb:", context={"note": "\x1b[2J\u202egnp"}
    )
    shown = hitl("get", approval_id).out
    assert "[bold red]<script>[/] :bomb:" in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "secret"}}, "DescribeStacks")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (NoCredentialsError(), "no AWS credentials: run `aws configure`"),
        (client_error("ExpiredToken"), "the AWS credentials have expired: sign in again"),
        (client_error("AccessDenied"), "AWS refused DescribeStacks: check the credentials'"),
        (client_error("Throttling"), "AWS does not take DescribeStacks now: try again in a moment"),
        (EndpointConnectionError(endpoint_url="x"), "AWS cannot be reached: check the network"),
    ],
)
def test_should_say_in_one_line_why_aws_did_not_answer(
    hitl: Hitl, cloud: FakeCloud, error: Exception, line: str
) -> None:
    cloud.error = error
    result = hitl("list")
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith(f"hitl: {line}")
    assert len(result.err.splitlines()) == 1


def test_should_show_every_command_with_an_example(hitl: Hitl) -> None:
    from typer.main import get_command

    commands = get_command(main.app).commands  # type: ignore[attr-defined]
    assert set(commands) == {
        "inbox", "show", "approve", "reject", "submit", "status", "cancel", "list", "get",
        "history", "audit", "local", "cost", "doctor", "resume", "stats",
        "completion",
    }  # fmt: skip
    for name in commands:
        assert hitl(name, "--help").status == 0
        for path, command in leaves(name, commands[name]):
            assert f"Example: hitl {path}" in command.help or path == "local env"


def leaves(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """The commands of a group, its own name first; a command by itself."""
    if not hasattr(command, "commands"):
        yield name, command
        return
    for inner, below in command.commands.items():
        yield from leaves(f"{name} {inner}", below)


@pytest.mark.parametrize("words", [[], ["local"], ["audit"]], ids=str)
def test_should_show_the_help_when_no_command_is_given(hitl: Hitl, words: list[str]) -> None:
    result = hitl(*words)
    assert (result.status, result.err) == (2, "")
    assert "Usage: " in result.out


def test_should_show_times_in_the_local_zone(hitl: Hitl, world: World) -> None:
    approval_id = pending(world)
    local = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).astimezone()
    assert f"{local:%Y-%m-%d %H:%M:%S}" in hitl("get", approval_id).out
    assert hitl("get", approval_id, "--json").json["created_at"] == "2026-01-02T03:04:05.000Z"


@pytest.mark.parametrize(
    "words", [["list"], ["show", "1"], ["stats"], ["submit", "--subject", "x"]]
)
def test_should_end_quietly_when_interrupted(
    hitl: Hitl, cloud: FakeCloud, words: list[str]
) -> None:
    cloud.error = KeyboardInterrupt()  # type: ignore[assignment]
    result = hitl(*words)
    assert (result.status, result.out) == (130, "")
    assert "Traceback" not in result.err


@pytest.mark.parametrize("verb", ["approve", "reject", "cancel"])
def test_should_end_quietly_when_interrupted_at_a_question(
    hitl: Hitl, world: World, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    def ctrl_c(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("typer._click.termui.visible_prompt_func", ctrl_c)
    approval_id = pending(world)
    result = hitl(verb, approval_id, terminal=True)
    assert result.status == 130
    assert result.err.endswith("hitl: interrupted (INTERRUPTED)\n")
    assert world.store.approvals[approval_id].pending


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_should_show_what_the_encoding_lacks_as_escapes(
    cloud: FakeCloud, world: World, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    approval_id = pending(world, subject="Überweisung von 5 €", requester="\u738b")
    for words in (
        ["show", approval_id],
        ["list"],
        ["history", approval_id],
        ["status", approval_id],
    ):
        written = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        monkeypatch.setattr("sys.stdout", written)
        monkeypatch.setattr("sys.argv", ["hitl", *words])
        monkeypatch.setattr(output, "out", output.console(width=100))
        with pytest.raises(SystemExit) as ended:
            main.main()
        written.flush()
        assert ended.value.code == 0
        if words[0] == "show":
            shown = written.buffer.getvalue().decode(encoding)
            assert ("€" in shown) == (encoding == "utf-8")
            assert ("\\u20ac" in shown) == (encoding != "utf-8")


def terminal(monkeypatch: pytest.MonkeyPatch, width: int) -> io.StringIO:
    """What a terminal of so many columns shows."""
    shown = io.StringIO()
    console = Console(
        file=shown, force_terminal=True, width=width, color_system=None, highlight=False
    )
    monkeypatch.setattr(output, "out", console)
    return shown


@pytest.mark.parametrize("width", [40, 80, 140])
def test_should_show_what_and_when_beside_ids_that_fit(
    monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    shown = terminal(monkeypatch, width)
    long = any_request(subject="Quarterly " * 9, requester="somebody@a-long-domain.example.com")
    asked = view(any_opening(request=long, now=datetime.now(UTC)).after)
    ids = ["f" * 32, "f" * 9 + "e" * 23]

    approval_tables.approvals([asked | {"approval_id": one} for one in ids], "pending")

    _, *lines = shown.getvalue().splitlines()
    seen = [one if width >= 100 else one[:10] for one in ids]
    assert [line.split()[0] for line in lines] == seen
    assert all(len(line) <= width and "Quarterly" in line for line in lines)
    assert all("59m left" in line for line in lines)


@pytest.mark.parametrize(("width", "hashes"), [(40, 0), (80, 0), (140, 1)])
def test_should_name_who_did_it_in_a_terminal_of_any_width(
    world: World, monkeypatch: pytest.MonkeyPatch, width: int, hashes: int
) -> None:
    shown = terminal(monkeypatch, width)
    approval_id = world.store.create(any_opening(now=world.clock.now())).approval_id
    world.decisions.decide(approval_id, declared("bob"), "approved")
    trail = {"events": world.store.history(approval_id), "verified": True, "findings": []}

    approval_tables.history(trail)

    text = shown.getvalue()
    assert all(len(line) <= width for line in text.splitlines())
    assert "bob" in text
    assert text.count("HASH") == hashes


def test_should_leave_no_blanks_at_the_ends_of_what_is_piped(
    world: World, hitl: Hitl, capsys: pytest.CaptureFixture[str]
) -> None:
    request = any_request(context={"note": "x" * 300, "more": "y"})
    world.store.create(any_opening(request=request, now=world.clock.now(), approval_id="a" * 32))
    for words in (("show", "a" * 32), ("history", "a" * 32), ("list",)):
        assert [row for row in hitl(*words).out.splitlines() if row != row.rstrip()] == []
