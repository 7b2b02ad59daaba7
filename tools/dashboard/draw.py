"""Draws the dashboard from what its queries gave over a run.

It is not Grafana: panels stand where Grafana puts them, with its units and about its looks, so that a reader who has no Grafana
at hand sees what there is to see.

usage: draw.py DASHBOARD DATA PICTURE
"""

from __future__ import annotations

import json
import math
import sys
from io import BytesIO
from pathlib import Path

import matplotlib
import numpy
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator
from PIL import Image, PngImagePlugin

from panels import UNITS, Board, Panel, Series, Unfit, read, step

WIDTH, CELL, GAP, MARGIN, HEAD = 1600, 30, 8, 12, 52
"""Pixels; a panel that is h high has h cells and the gaps between them, as in Grafana."""
DPI = 100
GROUND, PANEL, BORDER, LINES = "#111217", "#181b1f", "#2c2f36", "#2a2d33"
TEXT, FAINT = "#ccccdc", "#9a9aa8"
PALETTE = [
    "#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#5794f2", "#b877d9", "#8f7cc4", "#37a02d", "#fade2a",
    "#447ebc", "#c15c17", "#c4362b", "#35a3a0", "#e685b5", "#9fa7b3",
]
LEGEND_ROW = 17


def points(pixels: float) -> float:
    return pixels * 72 / DPI


class Sheet:
    """The picture, in pixels from its upper left corner."""

    def __init__(self, height: int) -> None:
        self.height = height
        self.figure = Figure(figsize=(WIDTH / DPI, height / DPI), dpi=DPI, facecolor=GROUND)
        self.renderer = FigureCanvasAgg(self.figure).get_renderer()

    def box(self, x: float, y: float, w: float, h: float) -> None:
        shape = FancyBboxPatch(
            (x, self.height - y - h), w, h, boxstyle="round,pad=0,rounding_size=3", transform=None,
            facecolor=PANEL, edgecolor=BORDER, linewidth=points(1), zorder=-1,
        )
        self.figure.add_artist(shape)

    def bar(self, x: float, y: float, w: float, h: float, color: str) -> None:
        self.figure.add_artist(Rectangle((x, self.height - y - h), w, h, transform=None, facecolor=color, linewidth=0))

    def text(self, x: float, y: float, text: str, size: float, color: str = TEXT, **more) -> None:
        """With its middle at this height."""
        more = {"va": "center_baseline", **more}
        self.figure.text(x, self.height - y, text, fontsize=points(size), color=color, transform=None, **more)

    def width(self, text: str, size: float) -> float:
        """How wide a text is."""
        artist = matplotlib.text.Text(0, 0, text, fontsize=points(size), figure=self.figure)
        return artist.get_window_extent(self.renderer).width

    def cut(self, text: str, size: float, width: float) -> str:
        """A text that is no wider than this."""
        if self.width(text, size) <= width:
            return text
        while text and self.width(text + "…", size) > width:
            text = text[:-1]
        return text + "…"

    def axes(self, x: float, y: float, w: float, h: float) -> Axes:
        place = (x / WIDTH, 1 - (y + h) / self.height, w / WIDTH, h / self.height)
        return self.figure.add_axes(place, facecolor="none")


def picture(board: Board) -> Figure:
    rows = max(panel.y + panel.h for panel in board.panels)
    sheet = Sheet(HEAD + rows * (CELL + GAP) + MARGIN - GAP)
    sheet.text(MARGIN, HEAD / 2, board.title, 20)
    minutes, seconds = divmod(round(board.length), 60)
    how = f"a run of {minutes} min {seconds} s; drawn by tools/dashboard, not by Grafana"
    sheet.text(WIDTH - MARGIN, HEAD / 2, how, 13, FAINT, ha="right")
    column = (WIDTH - 2 * MARGIN + GAP) / 24
    for panel in board.panels:
        x, y = MARGIN + panel.x * column, HEAD + panel.y * (CELL + GAP)
        w, h = panel.w * column - GAP, panel.h * (CELL + GAP) - GAP
        kind = panel.about["type"]
        if kind == "row":
            sheet.text(x + 2, y + h / 2, f"▾  {panel.title}", 16)
            continue
        sheet.box(x, y, w, h)
        sheet.text(x + 10, y + 17, sheet.cut(panel.title, 13.5, w - 20), 13.5, weight="bold")
        inside = (x + 10, y + 34, w - 20, h - 40)
        if not any(math.isfinite(value) for series in panel.series for value in series.values):
            sheet.text(x + w / 2, y + h / 2, "No data", 16, FAINT, ha="center")
        elif kind == "stat":
            stat(sheet, panel, board, *inside)
        elif kind == "table":
            table(sheet, panel, board, *inside)
        else:
            lines(sheet, panel, board, *inside)
    return sheet.figure


def last(series: Series) -> float:
    """The last value that there is."""
    finite = [value for value in series.values if math.isfinite(value)]
    return finite[-1] if finite else math.nan


def stat(sheet: Sheet, panel: Panel, board: Board, x: float, y: float, w: float, h: float) -> None:
    """The last value, large, over the course of it."""
    series = panel.series[0]
    value = last(series)
    color = panel.color(value)
    named = panel.about["options"].get("textMode") == "name"
    sheet.text(x + w / 2, y + h * 0.34, series.name if named else UNITS[panel.unit](value), 44, color, ha="center")
    axes = sheet.axes(x - 9, y + h * 0.62, w + 18, h * 0.38 + 5)
    axes.axis("off")
    axes.fill_between(series.times, series.values, color=color, alpha=0.18, linewidth=0)
    axes.plot(series.times, series.values, color=color, linewidth=points(1.3))
    axes.set_xlim(0, board.length)
    axes.set_ylim(0, max(1, numpy.nanmax(series.values)) * 1.15)


def table(sheet: Sheet, panel: Panel, board: Board, x: float, y: float, w: float, h: float) -> None:
    """What there was at the end."""
    rows = [one for one in panel.series if one.times[-1] >= board.length - 1]
    names = sorted({label for row in rows for label in row.labels})
    cells = [[row.labels.get(name, "") for name in names] + [UNITS[panel.unit](row.values[-1])] for row in rows]
    header = [*names, "Value"]
    widest = [max(sheet.width(text, 12.5) for text in column) + 24 for column in zip(header, *cells)]
    lefts = [x + sum(widest[:n]) * w / sum(widest) for n in range(len(widest))]
    height = 22
    fit = int(h // height) - 1
    if len(cells) > fit:
        left = len(cells) - fit + 1
        cells = [*cells[: fit - 1], [f"and {left} more rows, to which Grafana scrolls"]]
    sheet.bar(x, y + height, w, 1, BORDER)
    for n, row in enumerate([header, *cells]):
        if n > 1:
            sheet.bar(x, y + n * height, w, 1, LINES)
        for left, text in zip(lefts, row):
            sheet.text(left + 4, y + n * height + height / 2, text, 12.5, TEXT if n else "#6e9fff")


def lines(sheet: Sheet, panel: Panel, board: Board, x: float, y: float, w: float, h: float) -> None:
    rows = legend(sheet, [series.name for series in panel.series], w, int(h * 0.4 // LEGEND_ROW))
    below = len(rows) * LEGEND_ROW + 4
    show = UNITS[panel.unit]
    axes = sheet.axes(x, y + 4, w, h - below - 26)
    top = curves(axes, panel, board)
    axes.set_xlim(0, board.length)
    low, high = panel.defaults.get("min"), panel.defaults.get("max")
    axes.set_ylim(low, high if high is not None else top * 1.08 or 1)
    # Room for the line itself where it runs along the edge.
    axes.set_ylim(axes.get_ylim()[0], axes.get_ylim()[1] * 1.01)
    marks = step(panel.unit, axes.get_ylim()[1])
    axes.yaxis.set_major_locator(MultipleLocator(marks) if marks else MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: show(value)))
    axes.xaxis.set_major_locator(MultipleLocator(60 if w > 300 else 120))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{int(value // 60)}:{int(value % 60):02}"))
    axes.tick_params(length=0, labelsize=points(11.5), labelcolor=FAINT, pad=4)
    axes.grid(color=LINES, linewidth=points(1))
    axes.set_axisbelow(True)
    for spine in axes.spines.values():
        spine.set_visible(False)
    # What stands left of the axis takes its room from the curves.
    left = max(sheet.width(show(tick), 11.5) for tick in axes.get_yticks()) + 10
    axes.set_position(((x + left) / WIDTH, axes.get_position().y0, (w - left) / WIDTH, axes.get_position().height))
    for n, row in enumerate(rows):
        at = x
        middle = y + h - below + 6 + n * LEGEND_ROW + LEGEND_ROW / 2
        for index, text, width in row:
            if index is not None:
                sheet.bar(at, middle - 2, 13, 4, PALETTE[index % len(PALETTE)])
            sheet.text(at + 18 if index is not None else at, middle, text, 12)
            at += width


def curves(axes: Axes, panel: Panel, board: Board) -> float:
    """Draws them; the highest value."""
    fill = panel.defaults.get("custom", {}).get("fillOpacity", 0) / 100
    width = points(1.5 * panel.defaults.get("custom", {}).get("lineWidth", 1))
    if not panel.stacked:
        top = 0.0
        for n, series in enumerate(panel.series):
            color = PALETTE[n % len(PALETTE)]
            values = numpy.array(series.values)
            axes.fill_between(series.times, values, color=color, alpha=fill, linewidth=0)
            axes.plot(series.times, values, color=color, linewidth=width)
            top = max(top, float(numpy.nanmax(values, initial=0)))
        return top
    times = numpy.arange(0, round(board.length) + 1)
    below = numpy.zeros(len(times))
    for n, series in enumerate(panel.series):
        color = PALETTE[n % len(PALETTE)]
        there = numpy.full(len(times), math.nan)
        there[numpy.round(series.times).astype(int)] = series.values
        above = below + numpy.nan_to_num(there)
        shown = numpy.isfinite(there)
        axes.fill_between(times, below, above, where=shown, color=color, alpha=fill * 1.6, linewidth=0)
        axes.plot(times, numpy.where(shown, above, math.nan), color=color, linewidth=width)
        below = above
    return float(below.max())


def legend(sheet: Sheet, names: list[str], width: float, most: int) -> list[list[tuple[int | None, str, float]]]:
    """Rows of a color's index, a name, and the width of both; what finds no place is counted."""
    rows: list[list[tuple[int | None, str, float]]] = [[]]
    free = width
    for index, name in enumerate(names):
        # The last row keeps room to count what is left out.
        rest = 50 if len(rows) == most and index + 1 < len(names) else 0
        name = sheet.cut(name, 12, width - 20 - (50 if index + 1 < len(names) else 0))
        wide = sheet.width(name, 12) + 34
        if wide - 16 > free - rest and rows[-1]:
            if len(rows) == most:
                rows[-1].append((None, f"+ {len(names) - index}", 50))
                break
            rows.append([])
            free = width
        rows[-1].append((index, name, wide))
        free -= wide
    return rows


def save(figure: Figure, board: Board, file: Path) -> None:
    """With the titles of its panels inside, by which a test sees whether the picture is of this dashboard."""
    whole = BytesIO()
    figure.savefig(whole, format="png", dpi=DPI, facecolor=GROUND)
    image = few_colors(Image.open(whole).convert("RGB"))
    titles = PngImagePlugin.PngInfo()
    titles.add_text("Panels", json.dumps([panel.title for panel in board.panels]))
    image.save(file, optimize=True, pnginfo=titles)


def few_colors(image: Image.Image) -> Image.Image:
    """A palette makes the file a fifth as large. The colors of lines are thin, and would be lost without an area of their own."""
    more = Image.new("RGB", (image.width, image.height + len(PALETTE) * 40))
    more.paste(image)
    for n, color in enumerate(PALETTE):
        more.paste(color, (0, image.height + n * 40, image.width, image.height + (n + 1) * 40))
    few = more.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    return few.crop((0, 0, *image.size))


def main() -> int:
    if len(sys.argv) != 4:
        print("usage: draw.py DASHBOARD DATA PICTURE", file=sys.stderr)
        return 2
    dashboard, data, file = map(Path, sys.argv[1:])
    try:
        board = read(dashboard, data)
        save(picture(board), board, file)
    except Unfit as error:
        print(f"draw: {error}", file=sys.stderr)
        return 1
    empty = [panel.title for panel in board.panels if panel.about["type"] != "row" and not panel.series]
    print(f"draw: {len(board.panels)} panels, of which {len(empty)} without data {empty or ''}: {file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
