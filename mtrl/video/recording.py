"""An episode of each task as a file: GIF with Pillow, MP4 with ffmpeg."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import torch
from PIL import Image

from envs.suite import TaskSuite
from mtrl.errors import UsageError
from mtrl.scoring.scores import Policy
from mtrl.video.drawing import drawing_env
from mtrl.video.film import film

TILE = 192  # pixels a side
FPS = 20  # of the episode's steps: where not every one is drawn, pictures stand longer
MAX_FRAMES = 100  # pictures: a MuJoCo scene drawn without a GPU takes a tenth of a second
COLOURS = 128  # of a GIF, one table for all of its pictures


def check_film(path: Path) -> None:
    """Find out before anything is played whether a film can be written. Raises ``UsageError`` where it cannot."""
    kind = path.suffix.lower()
    if kind not in (".gif", ".mp4"):
        raise UsageError(f"--record is {str(path)!r}; it has to end in .gif or .mp4")
    if kind == ".mp4":
        ffmpeg()
    if not path.parent.is_dir():
        raise UsageError(f"--record {str(path)!r} cannot be written: there is no folder {str(path.parent)!r}")


def record(suite: TaskSuite, policy: Policy, path: Path, seed: int, device: torch.device) -> None:
    """Play an episode of every task and write it to a .gif or .mp4.

    Raises ``UsageError`` where a task cannot draw itself or the file cannot be written.
    """
    env = drawing_env(suite, "--record")
    frames, every = film(env, policy, seed, device, TILE, MAX_FRAMES)
    env.close()
    try:
        if path.suffix.lower() == ".mp4":
            write_mp4(frames, path, FPS / every)
        else:
            path.write_bytes(gif_of(frames, FPS / every))
    except OSError as error:
        raise UsageError(f"--record {str(path)!r} cannot be written: {error.strerror or error}") from None


def gif_of(frames: Sequence[Image.Image], fps: float, colours: int = COLOURS) -> bytes:
    """Return pictures of one size as an endless GIF; without dithering, what stands still costs no bytes."""
    first, middle, last = frames[0], frames[len(frames) // 2], frames[-1]
    sample = Image.new("RGB", (first.width, 3 * first.height))
    for k, frame in enumerate((first, middle, last)):
        sample.paste(frame, (0, k * first.height))
    table = sample.quantize(colours)
    own = [frame.quantize(palette=table, dither=Image.Dither.NONE) for frame in frames]
    file = io.BytesIO()
    own[0].save(file, "GIF", save_all=True, append_images=own[1:], duration=round(1000 / fps), loop=0, optimize=True)
    return file.getvalue()


def ffmpeg() -> str:
    """Return the path of an ffmpeg: imageio-ffmpeg's, else the system's. Raises ``UsageError`` where there is none."""
    if find_spec("imageio_ffmpeg") is not None:
        import imageio_ffmpeg

        try:
            return str(imageio_ffmpeg.get_ffmpeg_exe())
        except RuntimeError:  # a build of the package without a program
            pass
    if found := shutil.which("ffmpeg"):
        return found
    raise UsageError("an .mp4 needs ffmpeg, which is not installed: pip install -e '.[video]', or give --record a .gif")


def write_mp4(frames: Sequence[Image.Image], path: Path, fps: float) -> None:
    """Write pictures of one size, both sides even, as H.264 that browsers and slides play.

    Raises ``OSError`` with ffmpeg's last line where it fails.
    """
    width, height = frames[0].size
    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", f"{fps}", "-i", "-"]
    target = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "20", "-movflags", "+faststart", "-f", "mp4"]
    done = subprocess.run(
        # As a file's address, so that a name which begins with a dash or holds a colon is only a name.
        [ffmpeg(), "-y", "-loglevel", "error", *source, *target, f"file:{path}"],
        input=b"".join(frame.tobytes() for frame in frames),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise OSError(said[-1] if said else f"ffmpeg ended with {done.returncode}")
