"""Whatever is filled in: what is kept fits the schema, and all else is refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st

from hitl_approval.adapters.items import marshal, read_item
from hitl_approval.domain.edit import accept_editable, changes_view, edit, editable_fields
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.form import Form

T = TypeVar("T")
TYPED = st.text() | st.from_regex(r"-?[0-9]*\.?[0-9]*", fullmatch=True)
NAMES = st.from_regex(r"[A-Za-z0-9_-]{1,8}", fullmatch=True)
NUMBERS = st.integers(-100, 100) | st.floats(-100, 100).map(lambda x: round(x, 3))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["a", "b", "2026-01-31", "a@b.c", "x:y", "2026-01-31T12:00:00Z"])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ANNOTATIONS = st.fixed_dictionaries(
    {}, optional={"title": st.just("A title"), "description": st.just("It says")}
)


def accepted(act: Callable[[], T], *, of: str) -> T | None:
    """What it gives, or None where it refuses, naming the field that is to blame."""
    try:
        return act()
    except InvalidRequest as error:
        refused = error
    assert refused.details["field"].split(".")[0] == of
    return None


def checked(paths: list[str], context: dict[str, Any]) -> bool:
    accept_editable(paths, context)
    return True


def bounded(least: str, most: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(values, min_size=2, max_size=2).map(
        lambda pair: {least: min(pair), most: max(pair)}
    )


FIELDS = st.one_of(
    st.just({"type": "boolean"}),
    bounded("minimum", "maximum", NUMBERS).map(lambda bounds: {"type": "integer", **bounds}),
    bounded("minimum", "maximum", NUMBERS).map(lambda bounds: {"type": "number", **bounds}),
    bounded("minLength", "maxLength", st.integers(0, 20)).map(lambda b: {"type": "string", **b}),
    st.sampled_from(["email", "uri", "date", "date-time"]).map(
        lambda name: {"type": "string", "format": name}
    ),
    st.lists(st.sampled_from("abcd"), min_size=1, max_size=4, unique=True).map(
        lambda values: {"type": "string", "enum": values}
    ),
)


@st.composite
def schemas(draw: st.DrawFn) -> dict[str, Any]:
    properties = draw(st.dictionaries(NAMES, FIELDS, min_size=1, max_size=5))
    names = sorted(properties)
    properties = {name: {**properties[name], **draw(ANNOTATIONS)} for name in properties}
    required = draw(st.lists(st.sampled_from(names), unique=True))
    return {"type": "object", "properties": properties, "required": required}


@settings(deadline=None)  # no time is asserted
@given(schemas(), st.data())
def test_should_keep_only_what_fits_the_schema(schema: dict[str, Any], data: st.DataObject) -> None:
    form = Form.of(schema)
    of_form = st.dictionaries(st.sampled_from(form.names), SCALARS | NUMBERS | st.text("ab"))
    values = data.draw(of_form | JSON)
    kept = accepted(lambda: form.validate(values), of="input")
    if kept is None:
        return
    checker = jsonschema.Draft202012Validator(schema | {"additionalProperties": False})
    assert list(checker.iter_errors(kept)) == []
    assert form.validate(kept) == kept
    assert read_item(marshal({"input": kept}))["input"] == json.loads(json.dumps(kept))
    assert dict(form.lines(kept)).keys() <= {each.label for each in form.fields}


@settings(deadline=None)
@given(schemas())
def test_should_read_back_every_form(schema: dict[str, Any]) -> None:
    form = Form.of(schema)
    assert Form.from_json(form.stored) == form
    jsonschema.Draft202012Validator.check_schema(form.to_json())


OBJECTS = st.fixed_dictionaries(
    {"type": st.just("object"), "properties": st.dictionaries(NAMES, JSON | FIELDS, max_size=3)},
    optional={"required": JSON, "$defs": JSON},
)


@settings(deadline=None)
@given(JSON | OBJECTS)
def test_should_refuse_every_other_schema_by_name(schema: Any) -> None:
    form = accepted(lambda: Form.of(schema), of="form")
    assert form is None or form.fields


@settings(deadline=None)
@given(schemas(), st.data())
def test_should_read_whatever_is_typed(schema: dict[str, Any], data: st.DataObject) -> None:
    form = Form.of(schema)
    typed = data.draw(st.dictionaries(st.sampled_from(form.names), TYPED))
    kept = accepted(lambda: form.validate(form.of_texts(typed)), of="input")
    assert kept is None or set(kept) <= set(form.names)


CONTEXTS = st.dictionaries(
    st.sampled_from(["a", "b", "a.b", "c"]),
    SCALARS | st.dictionaries(st.sampled_from(["a", "b", "b.c"]), SCALARS, max_size=3),
)
PATHS = st.lists(st.sampled_from(["a", "b", "c", "a.b", "b.a", "a.b.c"]), unique=True)


@settings(deadline=None)
@given(CONTEXTS, PATHS, st.dictionaries(st.sampled_from(["a", "b", "c", "a.b"]), SCALARS) | JSON)
def test_should_change_nothing_but_what_may_be_changed_to_its_own_kind(
    context: dict[str, Any], paths: list[str], changes: Any
) -> None:
    if accepted(partial(checked, paths, context), of="editable") is None:
        return
    before = {each.name: each for each in editable_fields(context, paths)}
    found = accepted(lambda: edit(context, paths, changes), of="changes")
    if found is None:
        return
    after, made = found
    assert made.keys() <= set(paths) & changes.keys()
    assert {each.name: each.kind for each in editable_fields(after, paths)} == {
        name: each.kind for name, each in before.items()
    }
    unchanged = [path for path in paths if path not in made]
    assert editable_fields(after, unchanged) == tuple(before[path] for path in unchanged)
    assert (after == context) == (not made)
    read = read_item(marshal({"changes": changes_view(made)}))["changes"]
    assert read == json.loads(json.dumps(changes_view(made)))
