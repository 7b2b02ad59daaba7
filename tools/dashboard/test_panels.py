"""What the picture of the dashboard is made of: the dashboard in the tree, and data that fits it or does not."""

from __future__ import annotations

import copy
import json
import math
import struct
import unittest
from pathlib import Path

import panels

TOP = Path(__file__).parents[2]
DASHBOARD = panels.parse(TOP / "charts/avnm-operator/files/dashboard.json")
PICTURE = TOP / "docs/images/dashboard.png"


def data() -> dict:
    """One series for each query of the dashboard, over ten seconds."""
    one = {"metric": {"kind": "StaticMember"}, "values": [[1000 + n, str(n)] for n in range(11)]}
    targets = [
        {"panel": panel["id"], "expr": target["expr"], "legendFormat": target["legendFormat"], "series": [one]}
        for panel in DASHBOARD["panels"]
        for target in panel.get("targets", [])
    ]
    return {"from": 1000, "to": 1010, "targets": targets}


class Board(unittest.TestCase):
    def test_every_query_has_its_line(self) -> None:
        board = panels.board(DASHBOARD, data())
        self.assertEqual(len(board.panels), len(DASHBOARD["panels"]))
        self.assertGreater(len(board.panels), 30)
        self.assertEqual(board.length, 10)
        for panel in board.panels:
            self.assertEqual(len(panel.series), len(panel.about.get("targets", [])), panel.title)
            self.assertEqual(panel.about["type"] == "row", not panel.series, panel.title)

    def test_data_that_lacks_a_query_is_refused_whichever_it_is(self) -> None:
        whole = data()
        self.assertGreater(len(whole["targets"]), 40)
        titles = {panel["id"]: panel["title"] for panel in DASHBOARD["panels"]}
        for n, target in enumerate(whole["targets"]):
            part = {**whole, "targets": whole["targets"][:n] + whole["targets"][n + 1 :]}
            with self.assertRaises(panels.Unfit) as refused:
                panels.board(DASHBOARD, part)
            self.assertIn(f"panel {titles[target['panel']]!r}: the data lacks", str(refused.exception))

    def test_data_of_another_dashboard_is_refused(self) -> None:
        more = data()
        more["targets"].append({**more["targets"][0], "panel": 1000})
        with self.assertRaisesRegex(panels.Unfit, "that the dashboard lacks.*1000"):
            panels.board(DASHBOARD, more)

    def test_what_cannot_be_drawn_is_refused(self) -> None:
        for change, said in [
            (lambda panel: panel.update(type="gauge"), "type 'gauge' cannot be drawn"),
            (lambda panel: panel["fieldConfig"]["defaults"].update(unit="bytes"), "unit 'bytes' is not known"),
        ]:
            dashboard = copy.deepcopy(DASHBOARD)
            change(dashboard["panels"][1])
            with self.assertRaisesRegex(panels.Unfit, said):
                panels.board(dashboard, data())

    def test_panels_move_up_and_none_covers_another(self) -> None:
        taken = {}
        for panel in panels.board(DASHBOARD, data()).panels:
            for x in range(panel.x, panel.x + panel.w):
                for y in range(panel.y, panel.y + panel.h):
                    self.assertNotIn((x, y), taken, panel.title)
                    taken[x, y] = panel.title
        rows = {y for _, y in taken}
        self.assertEqual(rows, set(range(len(rows))))

    def test_the_picture_in_the_documentation_is_of_these_panels(self) -> None:
        drawn = json.loads(words(PICTURE)["Panels"])
        self.assertEqual(drawn, [panel["title"] for panel in DASHBOARD["panels"]], "draw it again: make picture")


def words(file: Path) -> dict[str, str]:
    """The texts that a PNG holds beside its pixels."""
    png, at, found = file.read_bytes(), 8, {}
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"tEXt":
            key, _, value = png[at + 8 : at + 8 + length].decode("latin-1").partition("\0")
            found[key] = value
        at += length + 12
    return found


class Lines(unittest.TestCase):
    def test_the_legend_has_the_labels_and_gaps_break_the_line(self) -> None:
        one = {"metric": {"kind": "A"}, "values": [[5, "1"], [6, "NaN"], [9, "2"]]}
        line = panels.line(one, "found {{kind}}{{none}}", 5)
        self.assertEqual(line.name, "found A")
        self.assertEqual(line.times, [0, 1, 2, 4])
        self.assertEqual([value for value in line.values if math.isfinite(value)], [1, 2])

    def test_thresholds_choose_the_color(self) -> None:
        leaders = next(panel for panel in panels.board(DASHBOARD, data()).panels if panel.title == "Leaders")
        red, green = panels.COLORS["red"], panels.COLORS["green"]
        self.assertEqual([leaders.color(count) for count in (0, 1, 2)], [red, green, red])

    def test_units(self) -> None:
        for unit, value, text in [
            ("short", 0, "0"),
            ("short", 28, "28"),
            ("short", 0.25, "0.25"),
            ("short", 12345, "12.3 K"),
            ("s", 0, "0 s"),
            ("s", 0.05, "50 ms"),
            ("s", 1e-9, "0.001 µs"),
            ("s", 60, "1 min"),
            ("s", 90, "1.5 mins"),
            ("s", 364 * 86400, "52 weeks"),
            ("ops", 0.5, "0.5 ops/s"),
            ("reqps", 20, "20 req/s"),
            ("percentunit", 0.75, "75%"),
        ]:
            self.assertEqual(panels.UNITS[unit](value), text, unit)

    def test_marks_of_time_are_whole(self) -> None:
        tops = {30: None, 90: 30, 230: 60, 280: 60, 3600: 1200, 364 * 86400: 7 * 86400 * 20}
        self.assertEqual({top: panels.step("s", top) for top in tops}, tops)
        self.assertIsNone(panels.step("ops", 90))


if __name__ == "__main__":
    unittest.main()
