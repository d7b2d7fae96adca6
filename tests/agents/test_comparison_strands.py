"""What Strands' own human-in-the-loop does not keep, counted; docs/agents.md has the table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from strands import Agent, tool
from strands.hooks import AfterToolsEvent
from strands.session.file_session_manager import FileSessionManager
from strands.vended_interventions.hitl import HumanInTheLoop

from .conftest import Died
from .kit_strands import ScriptedModel
from .script import Desk, Script, calls, refund


def own(script: Script, desk: Desk, folder: Path | None = None) -> Agent:
    """The framework's own way, with a session in a folder if there is one."""
    sessions = FileSessionManager(session_id="1", storage_dir=str(folder)) if folder else None
    return Agent(
        ScriptedModel(script),
        tools=[tool(desk.refund)],
        interventions=[HumanInTheLoop()],
        session_manager=sessions,
        callback_handler=None,
    )


def ask_for(agent: Agent) -> Any:
    waiting = agent("help")
    assert waiting.stop_reason == "interrupt"
    return [
        {"interruptResponse": {"interruptId": one.id, "response": "y"}}
        for one in waiting.interrupts or ()
    ]


def test_should_have_nothing_to_go_on_from_after_a_restart() -> None:
    desk, script = Desk(), Script([calls(refund())])
    yes = ask_for(own(script, desk))
    with pytest.raises(ValueError, match="not in interrupt state"):
        own(script, desk)(yes)  # as another process builds it
    assert desk.refunded == []


def test_should_refund_twice_when_a_process_dies_before_it_has_saved(tmp_path: Path) -> None:
    desk, script = Desk(), Script([calls(refund())])
    yes = ask_for(own(script, desk, tmp_path))

    dying = own(script, desk, tmp_path)
    dying.hooks.add_callback(AfterToolsEvent, _die)
    with pytest.raises(Died):
        dying(yes)
    assert len(desk.refunded) == 1
    own(script, desk, tmp_path)(yes)
    assert len(desk.refunded) == 2


def _die(event: AfterToolsEvent) -> None:
    raise Died
