"""Every task's picture in one, with its name, step and success."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from envs.stepping.vector import MultiTaskVectorEnv
from mtrl.pictures.names import shortened
from mtrl.video.playing import Moment

LABEL = 30  # pixels above each picture: two lines of text
SOLVED = "#d7f0dd"  # what is behind the words once a task is solved


class Mosaic:
    """Draws every task's picture, ``side`` pixels at most, into one; a task that ended keeps its last."""

    def __init__(
        self, env: MultiTaskVectorEnv, side: int, columns: int | None = None, shown: Sequence[int] | None = None
    ) -> None:
        """``columns`` are those of the grid; unless given, the grid is made two and a half times as wide as it is high.

        It has all tasks, or those ``shown``, by number.
        """
        self._env, self._side = env, side
        names = env.suite.task_names
        self.shown = [*range(len(names))] if shown is None else [*shown]
        pen = ImageDraw.Draw(Image.new("RGB", (1, 1)))
        self._short = shortened([names[k] for k in self.shown], side - 8, pen.textlength)
        tasks = len(self._short)
        self._columns = min(tasks, columns or (math.ceil(math.sqrt(tasks * 2.5)) if tasks > 3 else tasks))
        self._pictures: dict[int, Image.Image] = {}

    def draw(self, moment: Moment) -> Image.Image:
        """Return the picture of a moment, which has to be the environments' own. The first one draws every task."""
        changed = [k for k in self.shown if moment.step == 0 or moment.running[k]]
        for k, picture in zip(changed, self._env.engine.render(changed), strict=True):
            self._pictures[k] = self._scaled(picture)
        return _grid(
            [self._tile(k, name, moment) for k, name in zip(self.shown, self._short, strict=True)], self._columns
        )

    def _scaled(self, picture: np.ndarray) -> Image.Image:
        return ImageOps.contain(Image.fromarray(picture), (self._side, self._side))

    def _tile(self, k: int, name: str, moment: Moment) -> Image.Image:
        image, solved = self._pictures[k], bool(moment.solved[k])
        tile = Image.new("RGB", (self._side, self._side + LABEL), SOLVED if solved else "white")
        tile.paste(image, ((self._side - image.width) // 2, LABEL))
        pen = ImageDraw.Draw(tile)
        pen.text((4, 3), name, fill="black")
        pen.text((4, 15), f"step {moment.steps[k]}{', solved' if solved else ''}", fill="black")
        return tile


def _grid(tiles: Sequence[Image.Image], columns: int) -> Image.Image:
    """Put tiles of one size into a picture, row by row; both its sides are even, as mp4 asks for."""
    width, height = tiles[0].width + 4, tiles[0].height + 4
    rows = math.ceil(len(tiles) / columns)
    grid = Image.new("RGB", (columns * width + columns * width % 2, rows * height + rows * height % 2), "white")
    for k, tile in enumerate(tiles):
        grid.paste(tile, (k % columns * width, k // columns * height))
    return grid
