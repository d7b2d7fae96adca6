"""The page says what results.json gives, and a miss is a miss."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

from bench import report
from bench.__main__ import CHARTS, GROUPS, PAGE, RESULTS
from bench.figures import Chart, Figure, Group, number


@pytest.fixture(scope="module")
def results() -> dict[str, object]:
    kept: dict[str, object] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return kept


def test_should_have_a_page_that_equals_the_results(results: dict[str, object]) -> None:
    assert PAGE.read_text(encoding="utf-8") == report.page(results), "run: python -m bench --page"


def test_should_have_charts_that_equal_the_results(results: dict[str, object]) -> None:
    charts = [chart for group in report.groups_of(results) for chart in group.charts]
    assert {path.name for path in CHARTS.glob("*")} == {chart.file for chart in charts}
    for chart in charts:
        drawn = (CHARTS / chart.file).read_text(encoding="utf-8")
        assert drawn == report.svg(chart)
        ET.fromstring(drawn)


def test_should_keep_only_groups_that_are_measured(results: dict[str, object]) -> None:
    groups = results["groups"]
    assert isinstance(groups, dict)
    assert set(groups) <= set(GROUPS)


def test_should_explain_each_miss(results: dict[str, object]) -> None:
    for figure in report.missed(report.groups_of(results)):
        assert figure.note, figure.name


@pytest.mark.parametrize(
    ("figure", "passed", "ratio"),
    [
        (Figure(name="a", measured=3), None, None),
        (Figure(name="a", measured=3, limit=3), True, None),
        (Figure(name="a", measured=4, limit=3), False, None),
        (Figure(name="a", measured=5, baseline=4, limit=1.25, goal="ratio at most"), True, 1.25),
        (Figure(name="a", measured=6, baseline=4, limit=1.25, goal="ratio at most"), False, 1.5),
        (Figure(name="a", measured=2, baseline=60, limit=30, goal="times faster"), True, 30),
        (Figure(name="a", measured=3, baseline=60, limit=30, goal="times faster"), False, 20),
        (Figure(name="a", measured=3, limit=30, goal="times faster"), False, None),
    ],
)
def test_should_judge_a_figure_by_its_goal(
    figure: Figure, passed: bool | None, ratio: float | None
) -> None:
    assert (figure.passed, figure.ratio) == (passed, ratio)


def test_should_come_back_from_json_as_it_was() -> None:
    chart = Chart(file="a.svg", title="<A>", unit="", labels=["x"], series={"s": [None]})
    figures = [Figure(name="a", measured=1)]
    group = Group(title="T", figures=figures, tables=[], charts=[chart], notes=[])
    assert Group.from_json(json.loads(json.dumps(group.to_json()))) == group


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0001949, "$", "$0.000195"),
        (3000, "", "3,000"),
        (1.812, "MB", "1.81 MB"),
        (548.3, "ms", "548 ms"),
        (0.5, "", "0.5"),
    ],
)
def test_should_show_three_digits_that_count(value: float, unit: str, text: str) -> None:
    assert number(value, unit) == text
