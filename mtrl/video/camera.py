"""Videos of a run's policy, recorded at intervals during training for TensorBoard's images."""

from __future__ import annotations

from typing import NamedTuple

import torch

from envs.errors import SuiteError, TaskFailed, warn
from envs.suite import TaskSuite
from mtrl.errors import UsageError
from mtrl.scoring.many_tasks import groups_of
from mtrl.scoring.scores import Policy
from mtrl.video.drawing import drawing_env
from mtrl.video.frames import record_video
from mtrl.video.recording import gif_of

SIDE, COLUMNS = 96, 3  # pixels of a task's image; TensorBoard shows a video about 300 pixels wide
MANY, MANY_COLUMNS = 15, 6  # with more tasks a video of 3 columns would be too high; a wider one can be enlarged
MAX_FRAMES = 60  # frames of a video
COLOURS = 64
FPS = 12


class Gif(NamedTuple):
    """A video in the format that TensorBoard accepts."""

    data: bytes
    width: int
    height: int


def camera_for(suite: TaskSuite, seed: int, device: torch.device) -> Camera | None:
    """Return a camera, or None with a warning if a task cannot render: training continues without videos."""
    try:
        return Camera(suite, seed, device)
    except UsageError as error:
        warn(f"no videos are recorded, training continues: {error}")
        return None


class Camera:
    """Records one episode of each task in separate environments, always from the same starts: training is unaffected.

    Of many grouped tasks, the first of each group is shown, so that names stay readable. Raises ``UsageError``
    immediately if a task cannot render. An environment that fails later ends the recording with a warning, not the
    run.
    """

    def __init__(self, suite: TaskSuite, seed: int, device: torch.device) -> None:
        self._env = drawing_env(suite, "--record-every")
        self._seed, self._device, self._broken = seed, device, False
        first = [names[0] for names in groups_of(suite).values()]
        self._shown = [suite.task_names.index(name) for name in first or suite.task_names]
        self._columns = COLUMNS if len(self._shown) <= MANY else MANY_COLUMNS

    def record(self, policy: Policy) -> Gif | None:
        """Play an episode of each task and return the video, or None once an environment has failed."""
        if self._broken:
            return None
        try:
            frames, _ = record_video(
                self._env, policy, self._seed, self._device, SIDE, MAX_FRAMES, self._columns, self._shown
            )
        except (SuiteError, TaskFailed) as error:
            self._broken = True
            warn(f"no more videos are recorded, training continues: {error}")
            return None
        return Gif(gif_of(frames, FPS, COLOURS), frames[0].width, frames[0].height)

    def close(self) -> None:
        """Close the environments."""
        self._env.close()
