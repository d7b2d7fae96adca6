"""What a measurement is: figures with their goals, tables and charts. Plain data, kept as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table.

    Attributes:
        name: what is measured.
        measured: the number.
        unit: of the number; "" for a count.
        baseline: what it is measured against, in the same run; None without.
        against: the baseline's name.
        limit: the goal; None where there is none.
        goal: which number the limit is for, and from which side.
        note: where the number comes from, or why it misses its goal.
    """

    name: str
    measured: float
    unit: str = ""
    baseline: float | None = None
    against: str = ""
    limit: float | None = None
    goal: Literal["at most", "ratio at most", "times faster"] = "at most"
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Measured over baseline; the other way round where the goal is to be faster."""
        if not self.baseline or not self.measured:
            return None
        if self.goal == "times faster":
            return self.baseline / self.measured
        return self.measured / self.baseline

    @property
    def passed(self) -> bool | None:
        """Whether the goal is reached; None without one."""
        if self.limit is None:
            return None
        if self.goal == "at most":
            return self.measured <= self.limit
        if self.ratio is None:
            return False
        return self.ratio >= self.limit if self.goal == "times faster" else self.ratio <= self.limit

    @property
    def goal_text(self) -> str:
        """The goal as the table shows it."""
        if self.limit is None:
            return ""
        limit = number(self.limit, self.unit if self.goal == "at most" else "")
        return {
            "at most": f"<= {limit}",
            "ratio at most": f"<= {limit}x",
            "times faster": f">= {limit}x faster",
        }[self.goal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Numbers that belong together; cells are as they are shown."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Bars in groups: one group per label, one bar per series. None leaves a bar out."""

    file: str
    title: str
    unit: str
    labels: Sequence[str]
    series: Mapping[str, Sequence[float | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What one module measures."""

    title: str
    figures: Sequence[Figure]
    tables: Sequence[Table] = ()
    charts: Sequence[Chart] = ()
    notes: Sequence[str] = ()

    def to_json(self) -> dict[str, Any]:
        """As `results.json` keeps it."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """What `to_json` wrote."""
        return cls(
            title=kept["title"],
            figures=[Figure(**figure) for figure in kept["figures"]],
            tables=[Table(**table) for table in kept["tables"]],
            charts=[Chart(**chart) for chart in kept["charts"]],
            notes=kept["notes"],
        )


Measure = Callable[[bool], Group]
"""Measures one group; True asks for the quick version."""


def number(value: float, unit: str = "") -> str:
    """A number as people read it: three digits that count, thousands apart."""
    if unit == "$":
        return "$" + f"{value:.6f}".rstrip("0").rstrip(".")
    if value == int(value) and abs(value) < 10**9:
        text = f"{int(value):,}"
    elif abs(value) >= 100:
        text = f"{value:,.0f}"
    else:
        text = f"{value:.3g}"
    return f"{text} {unit}".rstrip()
