"""Pictures for TensorBoard, drawn with matplotlib and no window."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def attention_map(weights: np.ndarray, tasks: Sequence[str]) -> np.ndarray:
    """Draw weights (T, K) in [0, 1], a row a task and a column an encoder -> (H, W, 3) uint8."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows, columns = weights.shape
    # TensorBoard shows pictures about 300 pixels wide: what is drawn larger becomes unreadable there.
    figure = Figure(figsize=(1.2 + 0.5 * columns, 0.7 + 0.25 * rows), dpi=100, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.imshow(weights, vmin=0.0, vmax=1.0, cmap="viridis", aspect="auto")
    axes.set_xticks(range(columns), [str(k + 1) for k in range(columns)])
    axes.set_yticks(range(rows), [name[:24] for name in tasks], fontsize=9)
    axes.set_xlabel("encoder (each row sums to 1)", fontsize=8)
    if rows * columns <= 200:
        for (t, k), weight in np.ndenumerate(weights):
            colour = "white" if weight < 0.6 else "black"
            axes.text(k, t, f"{weight:.2f}", ha="center", va="center", fontsize=8, color=colour)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
