"""Pictures for TensorBoard, drawn with matplotlib and no window."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LONGEST = 24  # letters of a name that are shown
LETTER = 0.08  # inches that one takes
MOST_WRITTEN = 200  # cells that have their number written into them


def heat_map(values: np.ndarray, rows: Sequence[str], columns: Sequence[str]) -> np.ndarray:
    """Draw numbers (R, C) -> (H, W, 3) uint8.

    Shares lie in [0, 1] and are drawn dark to bright; where one is negative they are cosines in [-1, 1], and blue
    stands for negative, red for positive. NaN stays blank.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height, width = values.shape
    rows, columns = ([name[:LONGEST] for name in names] for names in (rows, columns))
    signed = bool(np.nanmin(values) < 0.0) if np.isfinite(values).any() else False
    # TensorBoard shows pictures about 300 pixels wide: what is drawn larger becomes unreadable there.
    upright = max(map(len, columns)) > 6  # too long to stand side by side
    left, below = LETTER * max(map(len, rows)), LETTER * max(map(len, columns)) if upright else 0.2
    size = 0.4 + left + 0.5 * width, 0.3 + below + 0.25 * height
    figure = Figure(figsize=size, dpi=100, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    low, colours = (-1.0, "RdBu_r") if signed else (0.0, "viridis")
    axes.imshow(values, vmin=low, vmax=1.0, cmap=colours, aspect="auto")
    axes.set_xticks(range(width), columns, fontsize=9, rotation=90 if upright else 0)
    axes.set_yticks(range(height), rows, fontsize=9)
    if height * width <= MOST_WRITTEN:
        for (row, column), value in np.ndenumerate(values):
            pale = abs(value) < 0.6 if signed else value >= 0.6
            colour = "black" if pale or not np.isfinite(value) else "white"
            text = f"{value:.2f}" if np.isfinite(value) else ""
            # Outside of the layout, which would measure each of them twice: they lie within the axes as it is.
            axes.text(column, row, text, ha="center", va="center", fontsize=8, color=colour, in_layout=False)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
