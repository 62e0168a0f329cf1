"""A workflow as a picture: Mermaid for pages that draw it themselves, SVG for all others.

The layout is layered: states in rows by how far they are from the start, rows ordered so that few edges cross, boxes
moved over their neighbours as far as the order allows. Nothing needs to be installed for it.
"""

from __future__ import annotations

import inspect
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise
from typing import Any, Literal

from skerry.core.state import State, tag_of
from skerry.core.workflow import Workflow

Kind = Literal["event", "start", "state", "result", "bend"]

_TITLE_PX, _TEXT_PX, _LINE_PX = 15.0, 12.0, 16.0
_TITLE_CHAR_PX, _TEXT_CHAR_PX = 9.2, 6.7
_TEXT_CHARS = 30
_PAD_X, _PAD_Y = 16.0, 12.0
_GAP_X, _GAP_Y, _BEND_W = 36.0, 64.0, 14.0
_MARGIN = 28.0
_SWEEPS = 12


@dataclass
class Box:
    """A node of the picture; a "bend" is a place where a long edge passes a row. `x` is its middle, `y` its top."""

    id: str
    kind: Kind
    title: str = ""
    lines: list[str] = field(default_factory=list[str])
    w: float = 0.0
    h: float = 0.0
    row: int = 0
    x: float = 0.0
    y: float = 0.0


@dataclass
class Way:
    """An edge through its boxes, from the upper row to the lower one; `up` when its arrow points the other way."""

    boxes: list[Box]
    up: bool = False


# --- what there is to draw ------------------------------------------------------------------------------------------


def mermaid(workflow: Workflow[Any]) -> str:
    """The workflow as a Mermaid flowchart."""
    boxes, edges = _content(workflow)
    shape = {"event": ("([", "])"), "start": ("[", "]"), "state": ("[", "]"), "result": ("([", "])")}
    lines = ["flowchart TD"]
    for box in boxes.values():
        left, right = shape[box.kind]
        title = _mermaid_text(box.title)
        title = title if box.kind == "event" else f"<b>{title}</b>"
        text = "<br/>".join([title, *map(_mermaid_text, box.lines)])
        lines.append(f'    {box.id}{left}"{text}"{right}:::{box.kind}')
    lines += [f"    {source} --> {target}" for source, target in edges]
    lines += [f"    classDef {kind} {style}" for kind, style in _MERMAID_STYLES.items()]
    return "\n".join(lines) + "\n"


_MERMAID_STYLES = {
    "event": "fill:#fff,stroke:#98a2b3,stroke-dasharray:4 3,color:#475467",
    "start": "fill:#eaf2ff,stroke:#2f6fdb,stroke-width:2px,color:#101828",
    "state": "fill:#f8fafc,stroke:#64748b,color:#101828",
    "result": "fill:#e9f7ef,stroke:#2e8b57,color:#101828",
}


def _mermaid_text(text: str) -> str:
    return escape(text, quote=False).replace('"', "#quot;")


def _content(workflow: Workflow[Any]) -> tuple[dict[str, Box], list[tuple[str, str]]]:
    """The boxes by id, and the edges between them, in the order of the definition."""
    boxes: dict[str, Box] = {}
    edges: list[tuple[str, str]] = []
    start = tag_of(workflow.start)
    if workflow.on:
        boxes["event"] = _sized(Box("event", "event", workflow.on))
        edges.append(("event", f"state_{start}"))
    for tag, crossing in workflow.states.items():
        kind: Kind = "start" if tag == start else "state"
        lines = _described(crossing.type, State)
        boxes[f"state_{tag}"] = _sized(Box(f"state_{tag}", kind, tag, lines))
    for edge in workflow.edges:
        target = f"result_{edge.target}" if edge.ends else f"state_{edge.target}"
        if edge.ends and target not in boxes:
            boxes[target] = _sized(Box(target, "result", edge.target))
        if (f"state_{edge.source}", target) not in edges:
            edges.append((f"state_{edge.source}", target))
    return boxes, edges


def _described(kind: type, base: type) -> list[str]:
    """The first sentence of a class's own docstring, in short lines."""
    doc = inspect.cleandoc(kind.__dict__.get("__doc__") or "") if kind is not base else ""
    first = " ".join(doc.split("\n\n")[0].split())
    return textwrap.wrap(first, _TEXT_CHARS, max_lines=3, placeholder=" …")


def _sized(box: Box) -> Box:
    widest = max([len(box.title) * _TITLE_CHAR_PX, *(len(line) * _TEXT_CHAR_PX for line in box.lines)])
    box.w = max(widest + 2 * _PAD_X, 84.0)
    box.h = 2 * _PAD_Y + _LINE_PX * (1 + len(box.lines)) + (4 if box.lines else 0)
    if box.kind in ("event", "result"):
        box.h = 34.0
    return box


# --- where it goes --------------------------------------------------------------------------------------------------


def _layout(boxes: Mapping[str, Box], edges: Sequence[tuple[str, str]]) -> tuple[list[list[Box]], list[Way]]:
    """The rows of boxes and bends, each with its place, and the ways of the edges through them."""
    back = _back_edges(boxes, edges)
    down = [(b, a) if (a, b) in back else (a, b) for a, b in edges if a != b]
    _assign_rows(boxes, down)
    rows: list[list[Box]] = [[] for _ in range(1 + max(box.row for box in boxes.values()))]
    for box in boxes.values():
        rows[box.row].append(box)
    ways: list[Way] = []
    for a, b in edges:
        if a != b:
            upper, lower = (boxes[b], boxes[a]) if (a, b) in back else (boxes[a], boxes[b])
            bends = [Box(f"{a}>{b}@{row}", "bend", w=_BEND_W, row=row) for row in range(upper.row + 1, lower.row)]
            for bend in bends:
                rows[bend.row].append(bend)
            ways.append(Way([upper, *bends, lower], up=(a, b) in back))
    _order(rows, ways)
    _place(rows, ways)
    return rows, ways


def _back_edges(boxes: Mapping[str, Box], edges: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Edges that close a loop: the picture is drawn as if they pointed the other way."""
    after: dict[str, list[str]] = defaultdict(list)
    for a, b in edges:
        after[a].append(b)
    back: set[tuple[str, str]] = set()
    finished: set[str] = set()
    for first in boxes:
        path: list[str] = []
        todo = [(first, False)]
        while todo:
            name, leaving = todo.pop()
            if leaving:
                finished.add(path.pop())
            elif name not in finished and name not in path:
                path.append(name)
                todo.append((name, True))
                back.update((name, b) for b in after[name] if b in path and b != name)
                todo.extend((b, False) for b in reversed(after[name]) if b not in path)
    return back


def _assign_rows(boxes: Mapping[str, Box], down: Sequence[tuple[str, str]]) -> None:
    """Each box below all that lead to it."""
    for _ in boxes:
        moved = False
        for a, b in down:
            if boxes[b].row <= boxes[a].row:
                boxes[b].row = boxes[a].row + 1
                moved = True
        if not moved:
            return


def _links(ways: Iterable[Way]) -> tuple[dict[str, list[Box]], dict[str, list[Box]]]:
    """Each box's neighbours in the row above, and in the row below."""
    above: dict[str, list[Box]] = defaultdict(list)
    below: dict[str, list[Box]] = defaultdict(list)
    for way in ways:
        for upper, lower in pairwise(way.boxes):
            below[upper.id].append(lower)
            above[lower.id].append(upper)
    return above, below


def _order(rows: list[list[Box]], ways: Sequence[Way]) -> None:
    """Sorts each row by where its neighbours are, down and up again, and keeps the order with the fewest crossings."""
    above, below = _links(ways)
    best = [list(row) for row in rows]
    fewest = _crossings(rows, below)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        near = above if down else below
        for row in rows if down else reversed(rows):
            place = {box.id: i for other in rows for i, box in enumerate(other)}
            row.sort(key=lambda box: _mean([place[n.id] for n in near[box.id]], place[box.id]))
        crossings = _crossings(rows, below)
        if crossings < fewest:
            fewest, best = crossings, [list(row) for row in rows]
    rows[:] = best


def _crossings(rows: Sequence[Sequence[Box]], below: Mapping[str, list[Box]]) -> int:
    count = 0
    for upper, lower in pairwise(rows):
        place = {box.id: i for i, box in enumerate(lower)}
        ends = [[place[n.id] for n in below[box.id]] for box in upper]
        for i, left in enumerate(ends):
            count += sum(a > b for right in ends[i + 1 :] for a in left for b in right)
    return count


def _place(rows: Sequence[list[Box]], ways: Sequence[Way]) -> None:
    """Gives each box its place: over its neighbours, as near as the order in its row allows."""
    above, below = _links(ways)
    y = _MARGIN
    for row in rows:
        height = max(box.h for box in row)
        x = 0.0
        for box in row:
            box.x = x + box.w / 2
            x += box.w + _GAP_X
            box.h = box.h or height
            box.y = y + (height - box.h) / 2
        y += height + _GAP_Y
    for sweep in range(_SWEEPS):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            near = above if sweep % 2 == 0 else below
            wanted = [_mean([n.x for n in near[box.id]], box.x) for box in row]
            if sweep >= _SWEEPS - 2:  # at last, all neighbours count
                wanted = [_mean([n.x for n in (*above[box.id], *below[box.id])], box.x) for box in row]
            for box, x in zip(row, _spread(wanted, row), strict=True):
                box.x = x
    left = min(box.x - box.w / 2 for row in rows for box in row)
    for row in rows:
        for box in row:
            box.x += _MARGIN - left


def _spread(wanted: Sequence[float], row: Sequence[Box]) -> list[float]:
    """The places nearest to the wanted ones (least squares) that keep order and distance: isotonic regression."""
    offsets = [0.0]
    for a, b in pairwise(row):
        offsets.append(offsets[-1] + (a.w + b.w) / 2 + _GAP_X)
    groups: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=True):
        groups.append((want - offset, 1))
        while len(groups) > 1 and groups[-2][0] > groups[-1][0]:
            (one, m), (two, n) = groups[-2:]
            groups[-2:] = [((one * m + two * n) / (m + n), m + n)]
    level = [mean for mean, count in groups for _ in range(count)]
    return [mean + offset for mean, offset in zip(level, offsets, strict=True)]


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


# --- how it looks ---------------------------------------------------------------------------------------------------

_STYLE = """\
text { font-family: ui-sans-serif, system-ui, "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; text-anchor: middle }
.title { font-size: 15px; font-weight: 600; fill: #101828 } .text { font-size: 12px; fill: #475467 }
.event .title { font-weight: 500; font-size: 13px; fill: #475467 } .result .title { fill: #14532d }
rect { stroke-width: 1.25 } .paper { fill: #ffffff; stroke: none }
.state rect { fill: #f8fafc; stroke: #64748b } .start rect { fill: #eaf2ff; stroke: #2f6fdb; stroke-width: 2 }
.result rect { fill: #e9f7ef; stroke: #2e8b57 } .event rect { fill: #ffffff; stroke: #98a2b3; stroke-dasharray: 4 3 }
.edge { fill: none; stroke: #64748b; stroke-width: 1.5 } .ending { stroke: #86b99b } .loop { stroke-dasharray: 5 3 }
"""


def svg(workflow: Workflow[Any]) -> str:
    """The workflow as an SVG picture."""
    boxes, edges = _content(workflow)
    rows, ways = _layout(boxes, edges)
    loops = [a for a, b in edges if a == b]
    width = max(box.x + box.w / 2 for row in rows for box in row) + _MARGIN + (30 if loops else 0)
    height = max(box.y + box.h for box in boxes.values()) + _MARGIN
    label = f"workflow {workflow.name} v{workflow.version}"
    size = f'width="{width:.0f}" height="{height:.0f}"'
    view = f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{escape(label)}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {view}>',
        f"<title>{escape(label)}</title>",
        f"<style>\n{_STYLE}</style>",
        "<defs>",
        *(_arrow(name, colour) for name, colour in (("arrow", "#64748b"), ("arrow-end", "#86b99b"))),
        "</defs>",
        f'<rect class="paper" {size}/>',
        *_paths(ways),
        *(_self_loop(boxes[name]) for name in loops),
        *(_drawn(box) for box in boxes.values()),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _arrow(name: str, colour: str) -> str:
    return (
        f'<marker id="{name}" viewBox="0 0 10 10" refX="8.5" refY="5" markerWidth="8" markerHeight="8"'
        f' orient="auto-start-reverse"><path d="M1 1.5 9 5 1 8.5 3 5z" fill="{colour}"/></marker>'
    )


def _drawn(box: Box) -> str:
    round_px = box.h / 2 if box.kind in ("result", "event") else 8
    top = box.y + (box.h - _LINE_PX * (1 + len(box.lines)) - (4 if box.lines else 0)) / 2
    lines = [f'<text class="title" x="{box.x:.1f}" y="{top + 12.5:.1f}">{escape(box.title)}</text>']
    for i, line in enumerate(box.lines, start=1):
        lines.append(f'<text class="text" x="{box.x:.1f}" y="{top + 4 + _LINE_PX * i + 12:.1f}">{escape(line)}</text>')
    place = f'x="{box.x - box.w / 2:.1f}" y="{box.y:.1f}" width="{box.w:.1f}" height="{box.h:.1f}" rx="{round_px:.1f}"'
    return "\n".join([f'<g class="{box.kind}">', f"<rect {place}/>", *lines, "</g>"])


def _paths(ways: Sequence[Way]) -> list[str]:
    """Each edge as one smooth line. Where several leave or reach a box, they do so side by side."""
    leaving: dict[str, list[Way]] = defaultdict(list)
    reaching: dict[str, list[Way]] = defaultdict(list)
    for way in ways:
        leaving[way.boxes[0].id].append(way)
        reaching[way.boxes[-1].id].append(way)
    for group in leaving.values():
        group.sort(key=lambda way: way.boxes[1].x)
    for group in reaching.values():
        group.sort(key=lambda way: way.boxes[-2].x)
    return [_path(way, leaving[way.boxes[0].id], reaching[way.boxes[-1].id]) for way in ways]


def _path(way: Way, leaving: Sequence[Way], reaching: Sequence[Way]) -> str:
    first, last = way.boxes[0], way.boxes[-1]
    x, y = _port(first, leaving, way), first.y + first.h
    steps = [f"M{x:.1f} {y:.1f}"]
    for box in way.boxes[1:]:
        to_x = _port(last, reaching, way) if box is last else box.x
        middle = (y + box.y) / 2
        steps.append(f"C{x:.1f} {middle:.1f} {to_x:.1f} {middle:.1f} {to_x:.1f} {box.y:.1f}")
        x, y = to_x, box.y
        if box is not last:
            y = box.y + box.h
            steps.append(f"V{y:.1f}")
    ends = last.kind == "result"
    arrow = f'marker-{"start" if way.up else "end"}="url(#{"arrow-end" if ends else "arrow"})"'
    kind = "edge" + (" ending" if ends else "") + (" loop" if way.up else "")
    return f'<path class="{kind}" d="{" ".join(steps)}" {arrow}/>'


def _port(box: Box, ways: Sequence[Way], way: Way) -> float:
    """Where on a box's edge a way begins or ends."""
    room = min(22.0, (box.w - 2 * _PAD_X) / max(len(ways), 1))
    return box.x + (next(i for i, each in enumerate(ways) if each is way) - (len(ways) - 1) / 2) * room


def _self_loop(box: Box) -> str:
    x, y = box.x + box.w / 2, box.y + box.h / 2
    return f'<path class="edge loop" d="M{x:.1f} {y - 9:.1f} c34 -12 34 30 0 18" marker-end="url(#arrow)"/>'
