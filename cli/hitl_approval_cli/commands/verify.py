"""`hitl verify`: whether a file or a context is what was approved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from hitl_approval.domain.binding import NOTHING, differences
from hitl_approval.domain.files import FileDigest
from hitl_approval_cli import approval_tables, output
from hitl_approval_cli.connection import Connection, connected
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.errors import Exit, usage
from hitl_approval_cli.parameters import Id, files_of, json_of
from hitl_approval_cli.short_ids import call_about


@connected
def verify(
    to: Connection,
    *,
    approval_id: Id,
    file: Annotated[
        list[str] | None,
        typer.Option(
            help="File that is about to be used; the request knows it by its name. Repeat for "
            "several."
        ),
    ] = None,
    context: Annotated[
        str | None, typer.Option(help="JSON object that is about to be used, or @file.json.")
    ] = None,
) -> None:
    """Verify that a request is approved, and for exactly these bytes of a file, or this context.

    The exit status is 0 only then. It is 1 for whatever else, and says what: it is not approved,
    the file has other bytes, the request is not about a file of that name, the context is another
    one, or the audit trail does not verify.

    Example: hitl verify 1f0e7c2ab5d84e6f9c3d2b1a0f9e8d7c --file plan.tfplan
    """
    if not file and context is None:
        raise usage("pass --file or --context: what is to be verified")
    files = files_of(file)
    payload = NOTHING if context is None else json_of(context, "--context")
    approval = call_about(to.deployment, {"action": "get", "approval_id": approval_id})
    trail = to.deployment.call({"action": "history", "approval_id": approval["approval_id"]})
    problems = [*_unsound(to.deployment, approval, trail), *_unapproved(approval)] or differences(
        approval.get("context_digest", ""),
        approval.get("files", ()),
        payload=payload,
        files=files,
    )
    answer = {
        "approval_id": approval["approval_id"],
        "status": approval["status"],
        "verified": not problems,
        "problems": problems,
        "content_digest": approval["content_digest"],
        "context_digest": approval.get("context_digest"),
        "files": files,
    }
    to.show(answer, lambda: _show(approval, files, problems))
    if problems:
        raise typer.Exit(Exit.FAILED)


def _unsound(
    deployment: Deployment, approval: Mapping[str, Any], trail: Mapping[str, Any]
) -> list[str]:
    """Why the answers of the deployment are not to be relied on."""
    if not trail["verified"]:
        command = deployment.command("history", approval["approval_id"])
        return [f"the audit trail does not verify: {command} says why"]
    if not trail["events"] or trail["events"][-1]["content_digest"] != approval["content_digest"]:
        return ["the audit trail is about something else"]
    return []


def _unapproved(approval: Mapping[str, Any]) -> list[str]:
    if approval["status"] == "approved":
        return []
    return [f"it is not approved: {approval_tables.status_line(approval)}"]


def _show(
    approval: Mapping[str, Any], files: Sequence[FileDigest], problems: Sequence[str]
) -> None:
    about = output.safe(approval["approval_id"])
    for problem in problems:
        output.out.print(
            f"{about} [bold red]not verified[/]: {output.safe(problem)}", soft_wrap=True
        )
    if not problems:
        named = ", ".join(file["name"] for file in files) or "the context"
        said = f"{named}, {approval_tables.status_line(approval)}"
        output.out.print(f"{about} [green]verified[/]: {output.safe(said)}", soft_wrap=True)
