"""A form made of a dataclass or a model gives one back, with what the approver filled in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any, Literal

import pydantic
import pytest

from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.form import Form
from hitl_approval.domain.form_source import accept_form, build


class Team(Enum):
    OPS = "ops"
    WEB = "web"


@dataclass(frozen=True)
class Answer:
    amount: float = field(metadata={"minimum": 1, "title": "Amount", "owner": "another library"})
    days: int
    team: Team
    size: Literal["s", "m"]
    day: date
    at: datetime | None
    note: str | None = None
    urgent: bool = False
    other: Team = Team.WEB


class Model(pydantic.BaseModel):
    amount: float = pydantic.Field(ge=1, le=9)
    team: Team
    day: date
    at: datetime | None
    note: str | None = None
    mood: Literal["good", "bad"] = "good"


class Strict(pydantic.BaseModel):
    days: int

    @pydantic.field_validator("days")
    @classmethod
    def _even(cls, value: int) -> int:
        if value % 2:
            msg = "must be even"
            raise ValueError(msg)
        return value


def test_should_make_a_form_of_a_dataclass_and_its_values_one_again() -> None:
    form = accept_form(Answer, "form")
    assert [each.name for each in form.fields if each.required] == [
        "amount", "days", "team", "size", "day",
    ]  # fmt: skip
    assert form.fields[0].label == "Amount"
    given = form.validate({"amount": 2, "days": 3, "team": "ops", "size": "s", "day": "2026-01-31"})
    assert build(form, given) == Answer(
        2.0, 3, Team.OPS, "s", date(2026, 1, 31), None, None, urgent=False, other=Team.WEB
    )
    timed = form.validate({**given, "at": "2026-01-31T12:00:00Z"})
    assert build(form, timed).at == datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_should_make_a_form_of_a_pydantic_model_and_its_values_one_again() -> None:
    form = accept_form(Model, "form")
    given = form.validate({"amount": 2, "team": "web", "day": "2026-01-31"})
    assert build(form, given) == Model(amount=2, team=Team.WEB, day=date(2026, 1, 31), at=None)
    with pytest.raises(InvalidRequest, match=r"^input.amount: must be at most 9, got 10"):
        form.validate({"amount": 10, "team": "web", "day": "2026-01-31"})


def test_should_let_a_model_say_what_more_it_wants() -> None:
    form = accept_form(Strict, "form")
    with pytest.raises(ValueError, match="must be even"):
        build(form, form.validate({"days": 3}))


def test_should_give_a_dict_where_the_form_was_a_schema() -> None:
    form = accept_form({"type": "object", "properties": {"x": {"type": "string"}}}, "form")
    assert build(form, form.validate({"x": "y"})) == {"x": "y"}
    assert accept_form(form, "form") is form
    assert build(Form.from_json(accept_form(Answer, "form").stored), {"days": 1}) == {"days": 1}


@dataclass
class Nested:
    inner: dict[str, str]


@dataclass
class Either:
    inner: int | str


@dataclass
class Unknown:
    inner: Nowhere  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (7, "must be a dataclass, a pydantic model or a JSON Schema, got a number"),
        (int, "must be a dataclass, a pydantic model or a JSON Schema, got int"),
        (Nested, "inner must be str, int, float, bool, date, datetime, Literal or an Enum"),
        (Either, "inner must be str, int, float, bool, date, datetime, Literal or an Enum"),
        (Unknown, "has a type that is not known here: name 'Nowhere' is not defined"),
    ],
)
def test_should_refuse_what_no_form_can_be_made_of(source: Any, message: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        accept_form(source, "form")
    assert str(refused.value).startswith(f"form: {message}")
