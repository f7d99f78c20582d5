"""One episode of each task as pictures, evenly spaced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from PIL import Image

from envs.stepping.vector import MultiTaskVectorEnv
from mtrl.scoring.scores import Policy
from mtrl.video.mosaic import Mosaic
from mtrl.video.playing import LONGEST, moments


class Film(NamedTuple):
    """Pictures of one size, ``every`` so many steps."""

    frames: list[Image.Image]
    every: int


def film(
    env: MultiTaskVectorEnv,
    policy: Policy,
    seed: int,
    device: torch.device,
    side: int,
    most: int,
    columns: int | None = None,
    shown: Sequence[int] | None = None,
) -> Film:
    """Play an episode of every task -> at most ``most`` pictures, evenly spaced, and its last one.

    They show every task unless ``shown`` says which, by number.
    """
    mosaic, every = Mosaic(env, side, columns, shown), 1
    frames: list[Image.Image] = []
    for moment in moments(env, policy, seed, device):
        over = not moment.running[mosaic.shown].any() or moment.step == LONGEST
        if moment.step % every and not over:
            continue
        if len(frames) >= most and not over:
            frames, every = frames[::2], 2 * every
            if moment.step % every:
                continue
        frames.append(mosaic.draw(moment))
        if over:
            break
    return Film(frames, every)
