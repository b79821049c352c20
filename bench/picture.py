"""``python -m bench.picture < FIGURES.json > PICTURE.svg``: each figure beside its target.

A bar is how near a figure is to what was asked for, so that longer is better and the line is the
target; the scale is logarithmic. Figures without a target are left out.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from math import log10
from xml.sax.saxutils import escape

import msgspec

ROW, BAR, TOP = 26, 15, 48
LEFT, WIDTH, RIGHT = 200, 460, 130
LEAST, MOST = 0.1, 100.0
"""Where the scale begins and ends, in targets."""

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f }
.met { fill: #2f6f4f } .missed { fill: #b3541e }
.target { stroke: #24292f; stroke-dasharray: 3 3 }
@media (prefers-color-scheme: dark) {
  text { fill: #d0d7de } .target { stroke: #d0d7de }
  .met { fill: #58a583 } .missed { fill: #e08a4f }
}
"""


class Shown(msgspec.Struct):
    """What of a figure is drawn."""

    ratio: float
    target: float | None


def drawn(figures: Mapping[str, Shown]) -> Iterator[str]:
    """Yield the picture of ``figures``, line by line."""
    rows = [
        (name, figure.ratio, figure.target)
        for name, figure in figures.items()
        if figure.target is not None
    ]
    width, height = LEFT + WIDTH + RIGHT, TOP + ROW * len(rows) + 12
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">'
    yield f"<title>Figures beside their targets</title><style>{STYLE}</style>"
    at = _place(1)
    yield f'<line class="target" x1="{at}" x2="{at}" y1="{TOP - 12}" y2="{height - 8}"/>'
    yield f'<text x="{at}" y="{TOP - 20}" text-anchor="middle">target</text>'
    for number, (name, ratio, target) in enumerate(rows):
        reached, top = ratio / target, TOP + ROW * number
        line, end = top + BAR - 3, _place(reached)
        kind = "met" if reached >= 1 else "missed"
        bar = f'x="{LEFT}" y="{top}" width="{end - LEFT}" height="{BAR}"'
        yield f'<text x="{LEFT - 8}" y="{line}" text-anchor="end">{escape(name)}</text>'
        yield f'<rect class="{kind}" {bar}/>'
        yield f'<text x="{end + 6}" y="{line}">{ratio:.2f} of {target:.2f}</text>'
    yield "</svg>"


def _place(reached: float) -> int:
    """Return how far to the right so much of the target stands."""
    held = min(max(reached, LEAST), MOST)
    return LEFT + round(WIDTH * log10(held / LEAST) / log10(MOST / LEAST))


if __name__ == "__main__":
    figures = msgspec.json.decode(sys.stdin.buffer.read(), type=dict[str, Shown])
    sys.stdout.writelines(f"{line}\n" for line in drawn(figures))
