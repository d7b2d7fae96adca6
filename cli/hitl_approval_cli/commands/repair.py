"""`hitl repair`: what was put aside of an approval, or failed every attempt, is taken up again."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

import typer

from hitl_approval.domain.text import shown
from hitl_approval_cli import clock, dead_letters, output
from hitl_approval_cli.connection import Connection, connected
from hitl_approval_cli.dead_letters import Letter, TakenUp
from hitl_approval_cli.errors import CliError, Exit, NotPermittedError, usage
from hitl_approval_cli.outcome import START_SECONDS, NoRequestError, Watch
from hitl_approval_cli.parameters import ids_of
from hitl_approval_cli.records import Records
from hitl_approval_cli.short_ids import call_about

SHOWN = 8
"""Characters of a message's id: enough to tell those of one queue apart."""
_Ids = Annotated[
    list[str] | None, typer.Argument(metavar="[ID...]", help="Or - to read ids from stdin.")
]
_All = Annotated[bool, typer.Option("--all", help="All that hitl doctor shows as put aside.")]
_Dead = Annotated[
    bool, typer.Option("--dead-letters", help="What is in the deployment's dead-letter queue.")
]
_Dry = Annotated[
    bool, typer.Option("--dry-run", help="Of --dead-letters: show them, and change nothing.")
]
_Discard = Annotated[
    bool,
    typer.Option("--discard", help="Of --dead-letters: delete those that are named, for good."),
]
_Yes = Annotated[bool, typer.Option("--yes", "-y", help="Of --dead-letters: do not ask first.")]


_WITHIN = "messages within a minute, a record by the next sweep"


@connected
def repair(
    to: Connection,
    *,
    approval_ids: _Ids = None,
    every: _All = False,
    dead: _Dead = False,
    dry_run: _Dry = False,
    discard: _Discard = False,
    yes: _Yes = False,
) -> None:
    """Take up again what was put aside: records by the next sweep, messages by the messenger.

    Put right first what `hitl doctor` says of the records, and `hitl show` of the messages. Writes
    nothing but that they are due. With --all, which records there are is read with your own
    credentials; messages are taken up by the id of their approval.

    With --dead-letters it does again what failed every attempt, after asking, and deletes what it
    could do: a start begins anew, asks people anew, and is waited for until its request is on
    record; events that were not published, sent or archived are. Name messages to do only those, as
    --dry-run shows them: an execution that was stopped on purpose is among them too. What fails
    again is in the queue as before, a start as a new message, and the exit status is 1. What can
    never work, or nobody wants, goes by --discard. With your own credentials it reads the queue and
    the audit table, and invokes functions.

    Example: hitl repair 1f0e7c2ab5d84e6f9c3d2b1a0f9e8d7c

    Example: hitl repair --dead-letters --dry-run
    """
    if (every and (dead or approval_ids)) or not (every or dead or approval_ids):
        raise usage("name approvals, or pass --all or --dead-letters")
    if (dry_run or discard or yes) and not dead:
        raise usage("--dry-run, --discard and --yes belong to --dead-letters")
    if discard and not approval_ids:
        raise usage("--discard: name the messages, as --dry-run shows them")
    if dead:
        named = approval_ids or []
        _repair_dead_letters(to, named, discard=discard, dry_run=dry_run, yes=yes)
        return
    if every:
        ids = [one.approval_id for one in Records(to.deployment).postponed()]
    else:
        ids = ids_of(approval_ids or [])
    taken_up = [
        call_about(to.deployment, {"action": "repair", "approval_id": one})["approval_id"]
        for one in ids
    ]
    to.show({"approval_ids": taken_up}, lambda: _show(taken_up))


def _show(taken_up: list[str]) -> None:
    for approval_id in taken_up:
        output.out.print(f"{output.safe(approval_id)} is taken up again: {_WITHIN}", soft_wrap=True)
    if not taken_up:
        output.out.print("nothing is put aside")


def _repair_dead_letters(
    to: Connection, wanted: list[str], *, discard: bool, dry_run: bool, yes: bool
) -> None:
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if not (dry_run or yes) and (to.as_json or not terminal):
        raise usage("not a terminal, so nobody can be asked: pass --yes or --dry-run")
    found = dead_letters.read_letters(to.deployment)
    kept = {letter.message_id: letter for letter in found}
    try:
        letters = _chosen(found, wanted)
        if not to.as_json:
            _show_letters(letters)
        count = output.count(len(letters), "message")
        question = f"Discard {count} for good?" if discard else f"Do {count} again?"
        agreed = yes or (bool(letters) and not dry_run and typer.confirm(question))
        done: list[dict[str, Any]] = []
        if agreed and not dry_run:
            done = _discard(to, letters, kept) if discard else _take_up(to, letters, kept)
    finally:
        dead_letters.give_back(to.deployment, list(kept.values()))
    rows: list[dict[str, Any]] = done or [_row(letter) for letter in letters]
    to.show({"dead_letters": rows}, lambda: None)
    if any(each["done"] is False for each in done):
        raise typer.Exit(Exit.FAILED)


def _chosen(found: Sequence[Letter], wanted: list[str]) -> Sequence[Letter]:
    """The messages whose ids begin like this; all where none is named."""
    if not wanted:
        return found
    ids = ids_of(wanted)
    for each in ids:
        if sum(letter.message_id.startswith(each) for letter in found) != 1:
            raise usage(f"the dead-letter queue has no one message {shown(each)}: see --dry-run")
    return [letter for letter in found if letter.message_id.startswith(tuple(ids))]


def _take_up(
    to: Connection, letters: Sequence[Letter], kept: dict[str, Letter]
) -> list[dict[str, Any]]:
    """Do each again, whatever becomes of another; what was done is not kept."""
    done: list[dict[str, Any]] = []
    started: list[tuple[Letter, TakenUp]] = []
    for letter in letters:
        try:
            taken_up = dead_letters.take_up(to.deployment, letter)
        except CliError as error:
            done.append(_say(to, letter, str(error), good=False))
            continue
        del kept[letter.message_id]
        if taken_up.started is None:
            done.append(_say(to, letter, taken_up.said, good=True))
        else:
            started.append((letter, taken_up))
    # Together, since they run at the same time.
    deadline = clock.now() + timedelta(seconds=START_SECONDS)
    for letter, taken_up in started:
        seconds = (deadline - clock.now()).total_seconds()
        said, good = _outcome(to, letter, taken_up, seconds)
        done.append(_say(to, letter, said, good=good))
    return done


def _outcome(to: Connection, letter: Letter, taken_up: TakenUp, seconds: float) -> tuple[str, bool]:
    """What became of a start, in words, and whether its request is on record."""
    try:
        Watch(to, taken_up.started or {}).until_on_record(max(seconds, 0))
    except NoRequestError as error:
        ask = dead_letters.ask_again(to.deployment, letter.content)
        way_out = f"correct it, ask by {ask}, and discard the new message that Lambda writes of it"
        return f"failed again: {error}; if that stays so, {way_out}", False
    except NotPermittedError as error:
        return f"{taken_up.said}; it is not known what became of it: {error}", True
    except CliError as error:
        return str(error), False
    return taken_up.said, True


def _discard(
    to: Connection, letters: Sequence[Letter], kept: dict[str, Letter]
) -> list[dict[str, Any]]:
    """Delete these, and no other."""
    done = []
    for letter in letters:
        dead_letters.discard(to.deployment, letter)
        del kept[letter.message_id]
        done.append(_say(to, letter, "discarded", good=True))
    return done


def _say(to: Connection, letter: Letter, said: str, *, good: bool) -> dict[str, Any]:
    if not to.as_json:
        state = "[green]done[/]    " if good else "[bold red]not done[/]"
        line = f"{state}  {output.safe(letter.subject)}: {output.safe(said)}"
        output.out.print(line, soft_wrap=True)
    return _row(letter) | {"done": good, "said": said}


def _row(letter: Letter) -> dict[str, Any]:
    return {
        "message_id": letter.message_id,
        "kind": letter.kind,
        "what": letter.what,
        "done": None,
        "said": "",
    }


def _show_letters(letters: Sequence[Letter]) -> None:
    for letter in letters:
        short = output.safe(letter.message_id[:SHOWN])
        output.out.print(f"{short}  {letter.kind:<8} {output.safe(letter.what)}", soft_wrap=True)
    if not letters:
        output.out.print("the dead-letter queue is empty")
