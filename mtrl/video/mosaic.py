"""The images of all tasks in one, each with the task's name, step and success."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from envs.stepping.vector import MultiTaskVectorEnv
from mtrl.pictures.names import shortened
from mtrl.video.playing import EpisodeFrame

LABEL_HEIGHT = 30  # pixels above each image: two lines of text
SOLVED_COLOUR = "#d7f0dd"  # background of the text once a task is solved


class Mosaic:
    """Draws the images of all tasks, at most ``side`` pixels each, into one; a finished task keeps its last image."""

    def __init__(
        self, env: MultiTaskVectorEnv, side: int, columns: int | None = None, shown: Sequence[int] | None = None
    ) -> None:
        """``columns`` is the grid's number of columns; by default the grid is about 2.5 times as wide as high.

        It has all tasks, or those numbered in ``shown``.
        """
        self._env, self._side = env, side
        names = env.suite.task_names
        self.shown = [*range(len(names))] if shown is None else [*shown]
        pen = ImageDraw.Draw(Image.new("RGB", (1, 1)))
        self._short = shortened([names[k] for k in self.shown], side - 8, pen.textlength)
        tasks = len(self._short)
        self._columns = min(tasks, columns or (math.ceil(math.sqrt(tasks * 2.5)) if tasks > 3 else tasks))
        self._images: dict[int, Image.Image] = {}

    def draw(self, frame: EpisodeFrame) -> Image.Image:
        """Return the image of a frame, which must be the environments' current one. The first one draws every task."""
        changed = [k for k in self.shown if frame.step == 0 or frame.running[k]]
        for k, pixels in zip(changed, self._env.engine.render(changed), strict=True):
            self._images[k] = self._scaled(pixels)
        return _grid(
            [self._tile(k, name, frame) for k, name in zip(self.shown, self._short, strict=True)], self._columns
        )

    def _scaled(self, pixels: np.ndarray) -> Image.Image:
        return ImageOps.contain(Image.fromarray(pixels), (self._side, self._side))

    def _tile(self, k: int, name: str, frame: EpisodeFrame) -> Image.Image:
        image, solved = self._images[k], bool(frame.solved[k])
        tile = Image.new("RGB", (self._side, self._side + LABEL_HEIGHT), SOLVED_COLOUR if solved else "white")
        tile.paste(image, ((self._side - image.width) // 2, LABEL_HEIGHT))
        pen = ImageDraw.Draw(tile)
        pen.text((4, 3), name, fill="black")
        pen.text((4, 15), f"step {frame.steps[k]}{', solved' if solved else ''}", fill="black")
        return tile


def _grid(tiles: Sequence[Image.Image], columns: int) -> Image.Image:
    """Arrange tiles of one size in an image, row by row; both its sides are even, as MP4 requires."""
    width, height = tiles[0].width + 4, tiles[0].height + 4
    rows = math.ceil(len(tiles) / columns)
    grid = Image.new("RGB", (columns * width + columns * width % 2, rows * height + rows * height % 2), "white")
    for k, tile in enumerate(tiles):
        grid.paste(tile, (k % columns * width, k // columns * height))
    return grid
