"""`hitl local mail`: the messages that the local cloud was given to send."""

from __future__ import annotations

import webbrowser
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from hitl_approval_cli import clock, output
from hitl_approval_cli.commands.local.place import Place, must_run
from hitl_approval_cli.errors import CliError
from hitl_approval_cli.local import LocalCloudError, sent_messages
from hitl_approval_cli.messages import links, show_message

FOLLOW_SECONDS = 0.5


def mail(
    *,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Stay, and show each as it is sent.")
    ] = False,
    open_: Annotated[
        bool, typer.Option("--open", help="Open the newest link in the browser.")
    ] = False,
    html: Annotated[
        int | None,
        typer.Option("--html", min=1, help="Open the HTML of the message with this number."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="JSON; with --follow a message on each line.")
    ] = False,
) -> None:
    """Show every message that the local cloud "sent": SNS e-mail, SQS, SMS and SES, oldest first.

    Nothing leaves this machine. With --follow only what is sent from now on, until Ctrl-C; --open
    then opens each link as it comes. With --html one mail by SES as its reader sees it.

    Example: hitl local mail
    """
    place = Place.here()
    environment = must_run(place)["environment"]
    known = sent(environment)
    if html is not None:
        _open_html(place, known, html)
        return
    if not follow:
        _show(known, as_json=as_json, together=True)
        if open_:
            _open(known)
        return
    newest = known[-1]["number"] if known else 0
    try:
        while True:
            arrived = sent(environment, newest)
            _show(arrived, as_json=as_json, together=False)
            for message in arrived if open_ else ():
                _open([message])
            newest = arrived[-1]["number"] if arrived else newest
            clock.pause(FOLLOW_SECONDS)
    except KeyboardInterrupt:
        return


def sent(environment: Mapping[str, str], after: int = 0) -> list[dict[str, Any]]:
    """The messages with a number above `after`."""
    try:
        return sent_messages(environment, after)
    except LocalCloudError as error:
        raise CliError(str(error), code="NOT_RUNNING") from error


def _show(messages: list[dict[str, Any]], *, as_json: bool, together: bool) -> None:
    if as_json:
        for answer in [{"messages": messages}] if together else messages:
            output.json_line(answer)
        return
    if together and not messages:
        output.out.print("No messages yet: `hitl local mail --follow` shows them as they come.")
    for message in messages:
        show_message(message)
        output.out.print()


def _open_html(place: Place, messages: list[dict[str, Any]], number: int) -> None:
    found = next((each for each in messages if each["number"] == number), None)
    if found is None or "html" not in found:
        numbers = ", ".join(str(each["number"]) for each in messages if "html" in each)
        msg = f"message {number} has no HTML: these have: {numbers or 'none'}"
        raise CliError(msg, code="NO_HTML")
    file = place.folder / f"mail-{number}.html"
    file.write_text(found["html"], encoding="utf-8")
    output.out.print(file.as_uri(), soft_wrap=True)
    if not webbrowser.open(file.as_uri()):
        output.plain_error("There is no browser here: open the file by hand.")


def _open(messages: list[dict[str, Any]]) -> None:
    found = [link for message in messages for link in links(message["body"])]
    if found and not webbrowser.open(found[-1]):
        output.plain_error("There is no browser here: open the link by hand.")
