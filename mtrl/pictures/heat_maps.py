"""Heat maps for TensorBoard, drawn by matplotlib without a window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from mtrl.pictures.names import names_as_they_are, shortened

WIDTH = 3.4  # inches, at 100 pixels each: TensorBoard shows images about 340 pixels wide, and shrinks wider ones
MAX_NAME_LENGTH = 16  # characters
CHARACTER_WIDTH = 0.055  # inches
MIN_NAMED_WIDTH = 0.11  # inches of a column with its name; narrower ones are numbered
MIN_VALUE_WIDTH = 0.22  # inches of a column with a value written into each cell
NUMBERED_EVERY = 5  # if columns are numbered, every fifth shows its number


class Scale(NamedTuple):
    """The colour scale of a kind of quantity: the same in every image, whatever its values."""

    low: float
    high: float
    colours: str  # name of a matplotlib colour map


SHARES = Scale(0.0, 1.0, "viridis")  # dark to bright
COSINES = Scale(-1.0, 1.0, "RdBu_r")  # blue is negative, white 0, red positive


@names_as_they_are()
def heat_map(values: np.ndarray, rows: Sequence[str], columns: Sequence[str], scale: Scale) -> np.ndarray:
    """Draw values (R, C) as an image (H, 340, 3) uint8; NaN stays blank.

    Long names are shortened. If there are too many columns for names, columns and rows are numbered.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height, width = values.shape
    left = 0.2 + CHARACTER_WIDTH * min(MAX_NAME_LENGTH, max(map(len, rows)))
    cell = (WIDTH - left) / width
    numbered = cell < MIN_NAMED_WIDTH
    rows, columns = shortened(rows, MAX_NAME_LENGTH), shortened(columns, MAX_NAME_LENGTH)
    if numbered:
        rows = [f"{name} {k}" for k, name in enumerate(rows, 1)]
        columns = [str(k) if k % NUMBERED_EVERY == 0 else "" for k in range(1, width + 1)]
    longest = max(map(len, columns))
    upright = not numbered and CHARACTER_WIDTH * longest > cell
    below = CHARACTER_WIDTH * longest if upright else 0.15
    figure = Figure(figsize=(WIDTH, 0.5 + below + height * (0.12 if numbered else 0.2)), dpi=100, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    image = axes.imshow(values, vmin=scale.low, vmax=scale.high, cmap=scale.colours, aspect="auto")
    axes.set_xticks(range(width), columns, fontsize=7, rotation=90 if upright else 0)
    axes.set_yticks(range(height), rows, fontsize=7)
    axes.tick_params(length=0 if numbered else 2, pad=1)
    if cell >= MIN_VALUE_WIDTH:
        _write_values(axes, values, scale)
    bar = figure.colorbar(image, ax=axes, location="top", aspect=40, pad=0.02)
    middle = (scale.low + scale.high) / 2
    bar.set_ticks([scale.low, middle, scale.high], labels=[f"{end:g}" for end in (scale.low, middle, scale.high)])
    bar.ax.tick_params(labelsize=7, length=0, pad=1)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _write_values(axes: Any, values: np.ndarray, scale: Scale) -> None:
    """Write each cell's value into it, black on pale colours and white on dark ones."""
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            pale = abs(value) < 0.6 if scale.low < 0 else value >= 0.6
            # Excluded from the layout, which would measure each text twice; they lie within the axes anyway.
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
