"""`docs/cli.md`, written from the program by `make docs`: its help, its options, its examples."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import typer
from typer.main import get_command

from hitl_approval_cli import main
from hitl_approval_cli.connection import connected
from tests.cli.shapes import SHAPES

FILE = Path(__file__).parents[2] / "docs" / "cli.md"
PREFACE = Path(__file__).parent / "cli_preface.md"
EXAMPLE = re.compile(r"^Example: (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Command:
    """One command, as the program knows it.

    Attributes:
        words: what is typed to run it, without `hitl`.
        command: typer's object.
    """

    words: str
    command: Any

    @property
    def examples(self) -> list[str]:
        """The command lines that its help shows."""
        return EXAMPLE.findall(self.command.help)

    @property
    def prose(self) -> str:
        """Its help, without the examples and with whole paragraphs on one line."""
        paragraphs = EXAMPLE.sub("", self.command.help).split("\n\n")
        return "\n\n".join(" ".join(text.split()) for text in paragraphs if text.strip())

    @property
    def usage(self) -> str:
        """What is typed, its arguments named."""
        names = [_metavar(p) for p in self.command.params if p.param_type_name == "argument"]
        return " ".join(["hitl", self.words, *names, "[OPTIONS]"])

    @property
    def own(self) -> list[Any]:
        """Its parameters, but for those that many commands share."""
        shared = shared_options() if self.takes_shared else {}
        return [p for p in self.command.params if p.name not in shared]

    @cached_property
    def takes_shared(self) -> bool:
        """Whether it speaks to a deployment."""
        return shared_options().keys() <= {p.name for p in self.command.params}


def shared_options() -> dict[str, Any]:
    """What `connected` gives to a command, by name."""

    @connected
    def nothing(_: Any) -> None:
        """Nothing."""

    app = typer.Typer(add_completion=False)
    app.command()(nothing)
    return {p.name: p for p in get_command(app).params}


def commands() -> Iterator[Command]:
    """Every command in the order of the help; not those that are hidden."""
    yield from _below(get_command(main.app), "")


def _below(group: Any, prefix: str) -> Iterator[Command]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _below(command, f"{prefix}{name} ")
        elif not command.hidden:
            yield Command(f"{prefix}{name}", command)


def page() -> str:
    """The whole page."""
    preface, marker, after = PREFACE.read_text(encoding="utf-8").partition("<!-- commands -->\n")
    assert marker
    found = list(commands())
    links = "\n".join(
        f"- [`hitl {c.words}`](#hitl-{c.words.replace(' ', '-')}): {_first_line(c)}" for c in found
    )
    shared = _table(shared_options().values())
    alike: dict[tuple[str, ...], list[str]] = {}
    for words, keys in SHAPES.items():
        alike.setdefault(keys, []).append(f"`{words}`")
    shapes = "| command | keys |\n|---|---|\n" + "".join(
        f"| {', '.join(names)} | {', '.join(f'`{key}`' for key in keys)} |\n"
        for keys, names in alike.items()
    )
    parts = [
        preface.replace("<!-- options -->\n", shared).replace("<!-- shapes -->\n", shapes),
        "## Commands\n\n" + links + "\n",
        *map(_section, found),
    ]
    return "\n".join(parts) + after


def write() -> None:
    """Write the page."""
    FILE.write_text(page(), encoding="utf-8")


def _first_line(command: Command) -> str:
    return command.prose.partition("\n\n")[0].rstrip(".")


def _section(command: Command) -> str:
    lines = [f"### hitl {command.words}", "", command.prose, ""]
    lines += ["```sh", *command.examples, "```", ""]
    lines += [f"`{command.usage}`", ""]
    if command.own:
        lines += [_table(command.own)]
    return "\n".join(lines)


def _table(parameters: Any) -> str:
    rows = ["| | |", "|---|---|", *(f"| {_names(p)} | {_about(p)} |" for p in parameters)]
    return "\n".join(rows) + "\n"


def _metavar(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper())


def _names(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{_metavar(parameter)}`"
    names = [*parameter.opts, *parameter.secondary_opts]
    return ", ".join(f"`{name}`" for name in names)


def _about(parameter: Any) -> str:
    help_ = (parameter.help or "").replace("|", "\\|")
    variables = parameter.envvar
    if variables:
        names = [variables] if isinstance(variables, str) else variables
        help_ += " Variable: " + ", ".join(f"`{name}`" for name in names) + "."
    plain = isinstance(parameter.default, str | int) and not isinstance(parameter.default, bool)
    if plain and parameter.default != "" and "Default:" not in help_:
        help_ += f" Default: `{parameter.default}`."
    return help_


if __name__ == "__main__":
    write()
