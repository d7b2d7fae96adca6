"""`docs/runbook.md`: a section for every alarm, and only commands that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from aws_cdk import Duration
from botocore import xform_name
from botocore.session import Session
from typer.exceptions import TyperException

from hitl_approval_cdk import ApprovalPage, Archive, HitlApproval, Monitoring
from hitl_approval_cli import main
from hitl_approval_cli.commands import doctor
from hitl_approval_cli.functions import FUNCTIONS
from tests.infra.synth import any_stack, of_type, template
from tests.infra.test_alarms import ALL, OF_NO_NUMBER, THRESHOLDS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
_PROSE = re.sub(r"^```.*?^```", "", PAGE, flags=re.MULTILINE | re.DOTALL)
QUOTED = [" ".join(found.split()) for found in re.findall(r"`([^`]+)`", _PROSE)]
COMMANDS = sorted({words for words in QUOTED if words.startswith(("hitl ", "aws "))})
assert COMMANDS, "none would be checked"
GLOBAL = {"--query", "--output"}
"""Of the AWS CLI itself, whatever it calls."""
RENAMED = {"--notification-endpoint": "--endpoint"}
"""Options that the AWS CLI calls otherwise than the API: --endpoint alone would be its own."""


@pytest.fixture(scope="module")
def alarms() -> dict[str, Any]:
    """Every alarm that a deployment can have."""
    stack = any_stack()
    chosen = Monitoring(pending_age=Duration.hours(1))
    HitlApproval(stack, "Approval", page=ApprovalPage(), archive=Archive(), monitoring=chosen)
    return of_type(template(stack)["Resources"], "AWS::CloudWatch::Alarm")


ABOUT = "Have the alarms"
WITHOUT_ALARM = {"Somebody has left", "Nobody is subscribed", "The page does not answer"}
"""What `hitl doctor` shows and no metric does."""


def test_should_have_a_section_for_every_alarm_and_no_other() -> None:
    assert set(SECTIONS) == ALL | WITHOUT_ALARM | {ABOUT}


@pytest.mark.parametrize("name", sorted(WITHOUT_ALARM))
def test_should_say_of_what_has_no_alarm_which_check_shows_it(name: str) -> None:
    parts = re.findall(r"^- \*\*(.+?):\*\* ", SECTIONS[name], re.MULTILINE)
    assert parts == ["What it means", "See it", "Fix it"]
    assert re.search(r"\*\*See it:\*\* `hitl doctor`, the check `[a-z ]+`", SECTIONS[name])


def test_should_be_where_each_alarm_says_that_it_is(alarms: dict[str, Any]) -> None:
    anchors = {heading.lower() for heading in SECTIONS}
    for alarm in alarms.values():
        file, _, anchor = alarm["AlarmDescription"].rpartition(": ")[2].partition("#")
        assert (ROOT / file) == ROOT / "docs" / "runbook.md"
        assert anchor in anchors


@pytest.mark.parametrize("alarm", sorted(ALL))
def test_should_say_what_it_means_how_to_see_it_and_how_to_fix_it(alarm: str) -> None:
    parts = re.findall(r"^- \*\*(.+?):\*\* ", SECTIONS[alarm], re.MULTILINE)
    assert parts == ["What it means", "See it", "Fix it", "Threshold"]
    threshold = SECTIONS[alarm].partition("**Threshold:** ")[2]
    if alarm in OF_NO_NUMBER:
        assert "`" not in threshold
    else:
        assert threshold.startswith(f"`{THRESHOLDS[alarm][0]}`")


def test_should_name_checks_that_doctor_makes() -> None:
    checks = set(doctor.CHECKS)
    said = " ".join(PAGE.split())
    lists = re.findall(r"checks? ((?:`[a-z ]+`(?:, | and )?)+)", said)
    named = {name for each in lists for name in re.findall(r"`([a-z ]+)`", each)}
    assert {"notifications", "not resumed", "parked", "mail"} <= named <= checks


def test_should_name_graphs_that_the_dashboard_has() -> None:
    from tests.infra.test_dashboard import UNITS

    named = {" ".join(name.split()) for name in re.findall(r"\*([A-Z][^*:]+)\*", PAGE)}
    assert named
    assert named <= set(UNITS)


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("hitl ")])
def test_should_show_commands_of_hitl_that_parse(command: str) -> None:
    parse(command)


def test_should_say_where_each_word_in_capitals_is_to_be_found() -> None:
    """At night nobody guesses what ADDRESS is, and which command shows it."""
    table = re.findall(r"^\| (`[A-Z`, ]+`) \| (.+) \|$", PAGE, re.MULTILINE)
    said = {word for words, _ in table for word in re.findall(r"[A-Z]+", words)}
    assert all("hitl " in where or "aws " in where for _, where in table)
    typed = [re.sub(r'"[^"]*"|RUNNING', "", command) for command in COMMANDS]
    assert said == {word for command in typed for word in re.findall(r"\b[A-Z]{2,}\b", command)}


def test_should_lead_from_what_is_seen_to_every_section() -> None:
    rows = re.findall(r"^\| (?!-)(.+?) \| (.*\]\(#.+) \|$", PAGE, re.MULTILINE)
    led_to = {anchor for _, links in rows for anchor in re.findall(r"\]\(#([a-z-]+)\)", links)}
    headings = {name.lower().replace(" ", "-") for name in SECTIONS}
    assert led_to <= headings
    assert {name.lower().replace(" ", "-") for name in WITHOUT_ALARM} <= led_to


def test_should_begin_with_the_commands_that_come_first() -> None:
    [first, *_] = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    assert first.startswith("export HITL_STACK=STACK")
    assert PAGE.index("hitl doctor") < PAGE.index("## ") < PAGE.index("```python")


def test_should_name_functions_that_a_deployment_has() -> None:
    named = {name for words in QUOTED for name in re.findall(r"hitl logs --function (\S+)", words)}
    assert {"publisher", "messenger", "sweep", "workflow"} <= named
    assert named <= {name.lower() for name in FUNCTIONS}


def test_should_need_no_second_version_of_the_aws_cli() -> None:
    """`aws logs tail` is a command of version 2 alone; operations of the API are in both."""
    pages = "".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs").glob("*.md"))
    assert "aws logs tail" not in pages


def parse(words: str) -> None:
    """Read a command as `hitl` does, and run nothing."""
    found: Any = typer.main.get_command(main.app)
    args = shlex.split(words)[1:]
    while hasattr(found, "commands"):
        found = found.commands[args.pop(0)]
    found.make_context(found.name, args)


def test_should_find_commands_that_do_not_parse() -> None:
    with pytest.raises(KeyError):
        parse("hitl repai ID")
    for command in ("hitl repair --every", "hitl show"):
        with pytest.raises(TyperException):
            parse(command)


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("aws ")])
def test_should_show_commands_of_the_aws_cli_that_exist(command: str) -> None:
    _, service, operation, *rest = shlex.split(command)
    options = {RENAMED.get(word, word) for word in rest if word.startswith("--")} - GLOBAL
    model = Session().get_service_model(service)
    [name] = [n for n in model.operation_names if xform_name(n, "-") == operation]
    shape = model.operation_model(name).input_shape
    assert shape is not None or not options
    members = {} if shape is None else shape.members
    assert options <= {f"--{xform_name(member, '-')}" for member in members}
    required = [] if shape is None else shape.required_members
    assert {f"--{xform_name(member, '-')}" for member in required} <= options
