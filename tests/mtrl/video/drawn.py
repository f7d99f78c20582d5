"""Environments that render, for tests of videos."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from envs.suite import TaskSuite
from tests.mtrl.conftest import Scripted, scripted_suite


class Drawn(Scripted):
    """Renders a 10 x 20 image whose red is 10 times the step, and whose green is the episode."""

    def __init__(self, *arguments: Any, render_mode: str | None = None, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.render_mode, self.drawn = render_mode, 0

    def render(self) -> Any:
        self.drawn += 1
        return np.full((10, 20, 3), (10 * self.t, 100 * self.episode, 0), dtype=np.uint8)


def suite_of_two() -> TaskSuite:
    """Task a: two steps, solved at the first; task b: three steps, solved at the last."""
    return scripted_suite(
        a=partial(Drawn, (1.0, 2.0), success=(1.0, 0.0)), b=partial(Drawn, (1.0,) * 3, success=(0.0, 0.0, 1.0))
    )
