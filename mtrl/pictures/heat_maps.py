"""Heat maps for TensorBoard, drawn with matplotlib and no window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from mtrl.pictures.names import names_as_they_are, shortened

WIDTH = 3.4  # inches, at 100 pixels each: TensorBoard shows a picture about 340 pixels wide, and shrinks a wider one
LONGEST = 16  # letters of a name that are shown
LETTER = 0.055  # inches that one takes
NARROWEST = 0.11  # inches of a column that has its name above it; narrower ones are numbered
WRITTEN = 0.22  # inches of a column, at least, that has its number written into each cell
EVERY = 5  # one column in so many has its number, where columns are numbered


class Scale(NamedTuple):
    """The colours of a kind of quantity: the same for every picture of it, whatever numbers it happens to hold."""

    low: float
    high: float
    colours: str  # of matplotlib


SHARES = Scale(0.0, 1.0, "viridis")  # dark to bright
COSINES = Scale(-1.0, 1.0, "RdBu_r")  # blue is negative, white 0, red positive


@names_as_they_are()
def heat_map(values: np.ndarray, rows: Sequence[str], columns: Sequence[str], scale: Scale) -> np.ndarray:
    """Draw numbers (R, C) -> (H, W, 3) uint8, W being 340; NaN stays blank.

    Names are shortened where they are long. Columns that are too many to bear theirs have numbers, and the rows too.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height, width = values.shape
    left = 0.2 + LETTER * min(LONGEST, max(map(len, rows)))
    cell = (WIDTH - left) / width
    numbered = cell < NARROWEST
    rows, columns = shortened(rows, LONGEST), shortened(columns, LONGEST)
    if numbered:
        rows = [f"{name} {k}" for k, name in enumerate(rows, 1)]
        columns = [str(k) if k % EVERY == 0 else "" for k in range(1, width + 1)]
    longest = max(map(len, columns))
    upright = not numbered and LETTER * longest > cell
    below = LETTER * longest if upright else 0.15
    figure = Figure(figsize=(WIDTH, 0.5 + below + height * (0.12 if numbered else 0.2)), dpi=100, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    image = axes.imshow(values, vmin=scale.low, vmax=scale.high, cmap=scale.colours, aspect="auto")
    axes.set_xticks(range(width), columns, fontsize=7, rotation=90 if upright else 0)
    axes.set_yticks(range(height), rows, fontsize=7)
    axes.tick_params(length=0 if numbered else 2, pad=1)
    if cell >= WRITTEN:
        _write(axes, values, scale)
    bar = figure.colorbar(image, ax=axes, location="top", aspect=40, pad=0.02)
    middle = (scale.low + scale.high) / 2
    bar.set_ticks([scale.low, middle, scale.high], labels=[f"{end:g}" for end in (scale.low, middle, scale.high)])
    bar.ax.tick_params(labelsize=7, length=0, pad=1)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _write(axes: Any, values: np.ndarray, scale: Scale) -> None:
    """Write each cell's number into it, black on pale colours and white on dark ones."""
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            pale = abs(value) < 0.6 if scale.low < 0 else value >= 0.6
            # Outside of the layout, which would measure each of them twice: they lie within the axes as it is.
            axes.text(
                column,
                row,
                f"{value:.2f}".replace("0.", ".") if abs(value) < 1 else f"{value:.2f}",
                ha="center",
                va="center",
                fontsize=6.5,
                color="black" if pale else "white",
                in_layout=False,
            )
