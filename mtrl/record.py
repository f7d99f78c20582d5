"""One episode of each task, side by side, as a GIF."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

from envs.errors import SuiteError
from envs.suite import TaskSuite
from envs.vector import MultiTaskVectorEnv
from mtrl.cli import UsageError
from mtrl.scores import Policy

LABEL = 18  # pixels above each picture
TILE = 192  # pixels a side, at most
LONGEST = 500  # steps


def record_gif(suite: TaskSuite, policy: Policy, path: Path, seed: int, device: torch.device, fps: int = 20) -> None:
    """Write an episode of every task to ``path``; a task that ended keeps its last picture.

    Raises ``UsageError`` where a task cannot draw itself or the file cannot be written.
    """
    try:
        env = MultiTaskVectorEnv(suite, 1, render_mode="rgb_array")
        frames = _play(env, policy, seed, device)
        env.close()
    except SuiteError as error:
        raise UsageError(f"--record needs environments that draw themselves: {error}") from None
    try:
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=round(1000 / fps), loop=0)
    except OSError as error:
        raise UsageError(f"--record {str(path)!r} cannot be written: {error.strerror or error}") from None


def _play(env: MultiTaskVectorEnv, policy: Policy, seed: int, device: torch.device) -> list[Image.Image]:
    names = env.suite.task_names
    obs, _ = env.reset(seed=seed)
    tiles = [_tile(picture, name, 0, False) for picture, name in zip(env.render(), names, strict=True)]
    running = np.ones(len(names), dtype=bool)
    solved = np.zeros(len(names), dtype=bool)
    frames = [_grid(tiles)]
    for step in range(1, LONGEST + 1):
        action = policy(torch.as_tensor(env.split(obs), device=device))
        obs, _, _, _, info = env.step(action.flatten(0, 1).cpu().numpy())
        running &= ~info["_final_obs"]
        solved |= info["success"] > 0
        pictures = env.render()
        for k in np.flatnonzero(running):
            tiles[k] = _tile(pictures[k], names[k], step, bool(solved[k]))
        frames.append(_grid(tiles))
        if not running.any():
            break
    return frames


def _tile(picture: np.ndarray, name: str, step: int, solved: bool) -> Image.Image:
    image = Image.fromarray(picture)
    image.thumbnail((TILE, TILE))
    tile = Image.new("RGB", (image.width, image.height + LABEL), "#d7f0dd" if solved else "white")
    tile.paste(image, (0, LABEL))
    ImageDraw.Draw(tile).text((4, 3), f"{name[:20]}  {step}{'  solved' if solved else ''}", fill="black")
    return tile


def _grid(tiles: list[Image.Image]) -> Image.Image:
    columns = math.ceil(math.sqrt(len(tiles) * 2.5)) if len(tiles) > 3 else len(tiles)
    width, height = max(t.width for t in tiles) + 4, max(t.height for t in tiles) + 4
    grid = Image.new("RGB", (columns * width, math.ceil(len(tiles) / columns) * height), "white")
    for k, tile in enumerate(tiles):
        grid.paste(tile, (k % columns * width, k // columns * height))
    return grid
