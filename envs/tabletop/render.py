"""A plain picture of one row: table, fixture, body, goal and hand."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from envs.tabletop.physics import handle_of, heading_of, middle_of
from envs.tabletop.tasks import GRIP_SHUT, HAND_RADIUS
from envs.tabletop.world import State

SIZE = 256  # pixels per side
SCALE = 2  # drawn larger, then shrunk, for smooth edges

TABLE, EDGE, FIXTURE = "#f4efe6", "#b8ad9a", "#c9bfae"
BODY, HANDLE, GOAL = "#d9822b", "#7a4510", "#3a9d5d"
HAND, HAND_HOLDING = "#3467b0", "#1c3f75"


def draw(simulator: Any, row: int) -> np.ndarray:
    """Draw one row of a ``TabletopSimulator`` as a (256, 256, 3) uint8 picture."""
    task, scene = simulator.rows[row], simulator.rows[row].scene
    world, state = simulator.world, simulator.state
    heading_all = heading_of(world, state)
    heading = _plane(heading_all, row)
    middle = _plane(middle_of(world, state, heading_all), row)
    handle = _plane(handle_of(world, state), row)
    base, goal = _plane(state.base, row), _plane(state.goal, row)
    pen = _Pen()

    if task.rim_y < 1:
        pen.line((-1.0, task.rim_y), (1.0, task.rim_y), 0.03, EDGE)
    if scene.box_depth:
        face = goal[0] - scene.box_depth
        pen.box((face, goal[1] + 0.05), (1.0, 1.0), FIXTURE)
        pen.box((face, -1.0), (1.0, goal[1] - 0.05), FIXTURE)
    if scene.joint == "slide":
        axis = np.asarray(scene.axis)
        half = np.asarray(scene.heading) * min(scene.half_length, 1.0)
        for end in (base, base + axis * scene.travel):  # where the joint's two limits are
            pen.line(end - half, end + half, 0.02, EDGE)
    if scene.wall < 1:
        pen.box((-1.0, base[1] + scene.wall), (1.0, 1.0), FIXTURE)
    if scene.joint == "free":
        pen.disc(goal, task.tolerance, GOAL, outline=True)
        pen.disc(goal, 0.02, GOAL)

    if scene.half_length:
        pen.line(middle - heading * scene.half_length, middle + heading * scene.half_length, 2 * scene.radius, BODY)
        pen.disc(handle, 0.03, HANDLE)
    else:
        pen.disc(middle, scene.radius, BODY)
    _draw_hand(pen, state, row)
    return pen.picture()[:, :: -1 if task.mirrored else 1].copy()


def _draw_hand(pen: _Pen, state: State, row: int) -> None:
    hand, aperture = _plane(state.hand, row), float(state.aperture[row])
    colour = HAND_HOLDING if bool(state.holding[row]) else HAND
    pen.disc(hand, HAND_RADIUS, colour, outline=aperture >= GRIP_SHUT)
    gap = 0.02 + 0.05 * aperture
    for side in (-gap, gap):
        x, y = hand[0] + side, hand[1]
        pen.line((x, y), (x, y + HAND_RADIUS + 0.04), 0.025, colour)


def _plane(vectors: Any, row: int) -> np.ndarray:
    return np.asarray([float(vectors[row, 0]), float(vectors[row, 1])])


class _Pen:
    """Draws in table coordinates: x to the right, y up, both in [-1, 1]."""

    def __init__(self) -> None:
        self._image = Image.new("RGB", (SIZE * SCALE, SIZE * SCALE), TABLE)
        self._draw = ImageDraw.Draw(self._image)

    def _at(self, point: Any) -> tuple[float, float]:
        half = SIZE * SCALE / 2
        return half * (1 + float(point[0])), half * (1 - float(point[1]))

    def _length(self, length: float) -> float:
        return length * SIZE * SCALE / 2

    def line(self, start: Any, end: Any, width: float, colour: str) -> None:
        self._draw.line([self._at(start), self._at(end)], fill=colour, width=max(1, round(self._length(width))))
        for point in (start, end):
            self.disc(point, width / 2, colour)

    def disc(self, centre: Any, radius: float, colour: str, outline: bool = False) -> None:
        (x, y), r = self._at(centre), self._length(radius)
        box = [x - r, y - r, x + r, y + r]
        if outline:
            self._draw.ellipse(box, outline=colour, width=3 * SCALE)
        else:
            self._draw.ellipse(box, fill=colour)

    def box(self, low: Any, high: Any, colour: str) -> None:
        (left, bottom), (right, top) = self._at(low), self._at(high)
        if right > left and bottom > top:
            self._draw.rectangle([left, top, right, bottom], fill=colour)

    def picture(self) -> np.ndarray:
        return np.asarray(self._image.resize((SIZE, SIZE), Image.Resampling.LANCZOS))
