"""The results as a table for the terminal, as `docs/performance.md` and as SVG charts.

Everything is made of `results.json` alone, so that the documents say what was measured.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from bench.figures import Chart, Figure, Group, Table, number

COLOURS = ("#2563eb", "#d97706", "#9ca3af", "#059669")

INTRODUCTION = """\
# Performance and cost

What one approval takes, measured beside two baselines in the same run: the **pattern's loop** (a
step that checks, a durable wait of 5 seconds, again) and the **bare engine** (one callback, a step:
the least that any approval can cost). `make bench` measures all of it, writes this page, and fails
when a goal is missed; `make bench-quick` takes a fraction of the samples and writes nothing. Only
ratios travel between machines.
"""


def terminal(groups: Sequence[Group]) -> str:
    """The table of all figures."""
    rows = [_cells(figure) for group in groups for figure in group.figures]
    head = ("figure", "goal", "measured", "ratio", "")
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
             for row in [head, *rows]]  # fmt: skip
    return "\n".join(lines)


def missed(groups: Sequence[Group]) -> list[Figure]:
    """The figures that did not reach their goal."""
    return [f for group in groups for f in group.figures if f.passed is False]


def page(results: Mapping[str, Any]) -> str:
    """`docs/performance.md`."""
    groups = groups_of(results)
    return "\n".join(_page(results, groups)) + "\n"


def groups_of(results: Mapping[str, Any]) -> list[Group]:
    """The groups of a `results.json`, in the order of the table."""
    return [Group.from_json(kept) for kept in results["groups"].values()]


def _page(results: Mapping[str, Any], groups: Sequence[Group]) -> Iterator[str]:
    yield INTRODUCTION
    yield f"Measured {results['date']} on {results['machine']}, Python {results['python']}:"
    yield ", ".join(f"{name} {version}" for name, version in results["versions"].items()) + "."
    for group in groups:
        yield f"\n## {group.title}\n"
        yield from _markdown(
            Table(
                title="",
                head=("figure", "goal", "measured", "ratio", ""),
                rows=[_cells(figure) for figure in group.figures],
            )
        )
        notes = [f"{f.name}: {f.note}" for f in group.figures if f.note]
        for note in [*notes, *group.notes]:
            yield f"\n{note}"
        for table in group.tables:
            yield f"\n**{table.title}**\n"
            yield from _markdown(table)
        for chart in group.charts:
            yield f"\n![{chart.title}](performance/{chart.file})"


def _markdown(table: Table) -> Iterator[str]:
    yield "| " + " | ".join(table.head) + " |"
    yield "|" + "---|" * len(table.head)
    for row in table.rows:
        yield "| " + " | ".join(row) + " |"


def _cells(figure: Figure) -> tuple[str, str, str, str, str]:
    measured = number(figure.measured, figure.unit)
    if figure.baseline is not None:
        measured += f" ({figure.against}: {number(figure.baseline, figure.unit)})"
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}x"
    verdict = {None: "", True: "pass", False: "MISS"}[figure.passed]
    return figure.name, figure.goal_text, measured, ratio, verdict


WIDTH, BAR, GAP, LEFT, TOP = 760, 14, 12, 90, 64


def svg(chart: Chart) -> str:
    """Horizontal bars, on a logarithmic scale where they are far apart."""
    values = [v for series in chart.series.values() for v in series if v]
    scale = _logarithmic(values) if max(values) / min(values) > 50 else _linear(values)
    group = BAR * len(chart.series) + GAP
    height = TOP + group * len(chart.labels) + GAP
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            'font-family="sans-serif" font-size="12" role="img">'
        ),
        f"<title>{escape(chart.title)}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="8" y="20" font-size="15" font-weight="bold">{escape(chart.title)}</text>',
    ]
    for index, name in enumerate(chart.series):
        x = 8 + 170 * index
        parts.append(f'<rect x="{x}" y="32" width="12" height="12" fill="{COLOURS[index]}"/>')
        parts.append(f'<text x="{x + 17}" y="42">{escape(name)}</text>')
    for row, label in enumerate(chart.labels):
        top = TOP + group * row
        middle = top + BAR * len(chart.series) / 2 + 4
        parts.append(
            f'<text x="{LEFT - 8}" y="{middle:g}" text-anchor="end">{escape(label)}</text>'
        )
        for index, series in enumerate(chart.series.values()):
            value = series[row]
            if value is None:
                continue
            y = top + BAR * index
            width = scale(value) * (WIDTH - LEFT - 110)
            parts.append(
                f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR - 2}" '
                f'fill="{COLOURS[index]}"/>'
            )
            parts.append(
                f'<text x="{LEFT + width + 5:.1f}" y="{y + 11}" font-size="11">'
                f"{escape(number(value, chart.unit))}</text>"
            )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _linear(values: Sequence[float]) -> Any:
    return lambda value: value / max(values)


def _logarithmic(values: Sequence[float]) -> Any:
    low, high = math.log10(min(values)) - 0.3, math.log10(max(values))
    return lambda value: (math.log10(value) - low) / (high - low) if value > 0 else 0
