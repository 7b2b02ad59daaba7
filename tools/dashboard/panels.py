"""What a picture of the dashboard shows: its panels, each with the series that its queries gave over a run.

Nothing here draws, and nothing is needed but Python itself: what can go wrong is tested without what draws.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path

COLUMNS = 24
"""The width of Grafana's grid."""
TYPES = {"row", "stat", "table", "timeseries"}
"""The types of panels that can be drawn."""
COLORS = {"green": "#73bf69", "red": "#f2495c"}
"""Grafana's own, as far as thresholds name them."""


class Unfit(Exception):
    """The dashboard or the data is not what can be drawn."""


@dataclass
class Series:
    """One line of a panel."""

    name: str
    labels: dict[str, str]
    times: list[float]
    values: list[float]


@dataclass
class Panel:
    """One panel, with its place in the grid's units."""

    x: int
    y: int
    w: int
    h: int
    about: dict
    series: list[Series]

    @property
    def title(self) -> str:
        return self.about["title"]

    @property
    def defaults(self) -> dict:
        return self.about.get("fieldConfig", {}).get("defaults", {})

    @property
    def unit(self) -> str:
        return self.defaults.get("unit", "short")

    @property
    def stacked(self) -> bool:
        return self.defaults.get("custom", {}).get("stacking", {}).get("mode") == "normal"

    def color(self, value: float) -> str:
        """What the thresholds make of a value."""
        color = "green"
        for step in self.defaults.get("thresholds", {}).get("steps", []):
            if step["value"] is None or value >= step["value"]:
                color = step["color"]
        if color not in COLORS:
            raise Unfit(f"panel {self.title!r}: the color {color!r} is not known")
        return COLORS[color]


@dataclass
class Board:
    """The dashboard over a run, whose times are seconds since its beginning."""

    title: str
    length: float
    panels: list[Panel]


def read(dashboard: Path, data: Path) -> Board:
    """The dashboard, with the data of a run."""
    return board(parse(dashboard), parse(data))


def parse(file: Path) -> dict:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Unfit(f"read {file}: {error}") from error


def board(dashboard: dict, data: dict) -> Board:
    """Puts each panel's series to it; a query without data of its own, and data without a query, are refused."""
    given = {(target["panel"], target["expr"], target["legendFormat"]): target for target in data["targets"]}
    panels = []
    for about in dashboard["panels"]:
        kind, title = about["type"], about["title"]
        if kind not in TYPES:
            raise Unfit(f"panel {title!r}: its type {kind!r} cannot be drawn")
        series = []
        for target in about.get("targets", []):
            key = (about["id"], target["expr"], target.get("legendFormat", ""))
            if key not in given:
                raise Unfit(f"panel {title!r}: the data lacks its query {target['expr']!r}: play the run again")
            found = given.pop(key)["series"]
            series += [line(one, key[2], data["from"]) for one in found]
        panel = Panel(**about["gridPos"], about=about, series=series)
        if kind != "row" and panel.unit not in UNITS:
            raise Unfit(f"panel {title!r}: its unit {panel.unit!r} is not known")
        panels.append(panel)
    if given:
        raise Unfit(f"the data has queries that the dashboard lacks: {sorted(given)}: play the run again")
    return Board(dashboard["title"], data["to"] - data["from"], compact(panels))


def line(one: dict, legend: str, start: float) -> Series:
    labels = one["metric"]
    name = re.sub(r"{{\s*(\w+)\s*}}", lambda label: labels.get(label[1], ""), legend)
    if not name:
        name = "{" + ", ".join(f'{key}="{value}"' for key, value in sorted(labels.items())) + "}"
    times, values = [], []
    for time, value in one["values"]:
        # Where a series was not there, or has no value, its line is broken.
        if times and time - start - times[-1] > 1.5:
            times.append(times[-1] + 1)
            values.append(math.nan)
        times.append(time - start)
        values.append(float(value))
    return Series(name, labels, times, values)


def compact(panels: list[Panel]) -> list[Panel]:
    """Moves panels up as far as they go, as Grafana does."""
    height = [0] * COLUMNS
    for panel in sorted(panels, key=lambda panel: (panel.y, panel.x)):
        columns = range(panel.x, panel.x + panel.w)
        panel.y = max(height[column] for column in columns)
        for column in columns:
            height[column] = panel.y + panel.h
    return panels


def number(value: float) -> str:
    """At most three digits that tell something."""
    if not value:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def scaled(steps: list[tuple[float, str]], value: float) -> str:
    """In the largest unit that is not larger than the value."""
    for size, unit in steps:
        if abs(value) >= size:
            break
    text = number(value / size)
    return f"{text}{unit.removesuffix('s') if text == '1' and len(unit) > 3 else unit}"


SHORT = [(1e9, " Bil"), (1e6, " Mil"), (1e3, " K"), (1, "")]
SECONDS = [
    (365.25 * 86400, " years"),
    (7 * 86400, " weeks"),
    (86400, " days"),
    (3600, " hours"),
    (60, " mins"),
    (1, " s"),
    (1e-3, " ms"),
    (1e-6, " µs"),
]
STEPS = [*(60 * n for n in (1, 2, 5, 10, 20, 30)), *(3600 * n for n in (1, 2, 6, 12)), *(86400 * n for n in (1, 2))]
"""What minutes, hours and days are counted in; weeks and more are counted as numbers are."""


def short(value: float) -> str:
    return scaled(SHORT, value) if abs(value) >= 1 else number(value)


def step(unit: str, top: float) -> float | None:
    """The distance of the marks on an axis up to here, where one of a power of ten would read badly."""
    if unit != "s" or top <= 60:
        return None
    if top < 60 * 4:
        return 60 if top > 120 else 30
    weeks = [7 * 86400 * n * 10**power for power in range(5) for n in (1, 2, 5)]
    return next((size for size in [*STEPS, *weeks] if size * 5 >= top), None)


UNITS = {
    "short": short,
    "s": lambda value: scaled(SECONDS, value) if value else "0 s",
    "ops": lambda value: f"{short(value)} ops/s",
    "reqps": lambda value: f"{short(value)} req/s",
    "percentunit": lambda value: f"{number(value * 100)}%",
}
"""Grafana's units, as far as the dashboard has them."""
