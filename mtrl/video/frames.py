"""One episode of each task as evenly spaced images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from PIL import Image

from envs.stepping.vector import MultiTaskVectorEnv
from mtrl.scoring.scores import Policy
from mtrl.video.mosaic import Mosaic
from mtrl.video.playing import episode_frames

MAX_STEPS = 500


class Video(NamedTuple):
    """Images of one size, one per ``every`` steps."""

    frames: list[Image.Image]
    every: int


def record_video(
    env: MultiTaskVectorEnv,
    policy: Policy,
    seed: int,
    device: torch.device,
    side: int,
    max_frames: int,
    columns: int | None = None,
    shown: Sequence[int] | None = None,
) -> Video:
    """Play an episode of every task, at most ``MAX_STEPS``; return up to ``max_frames`` even images, and the last one.

    They show every task, or only the tasks numbered in ``shown``.
    """
    mosaic, every = Mosaic(env, side, columns, shown), 1
    frames: list[Image.Image] = []
    for frame in episode_frames(env, policy, seed, device, MAX_STEPS):
        over = not frame.running[mosaic.shown].any() or frame.step == MAX_STEPS
        if frame.step % every and not over:
            continue
        if len(frames) >= max_frames and not over:
            frames, every = frames[::2], 2 * every
            if frame.step % every:
                continue
        frames.append(mosaic.draw(frame))
        if over:
            break
    return Video(frames, every)
