"""A video of one episode of each task as a file: GIF by Pillow, MP4 by ffmpeg."""

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
from mtrl.errors import UsageError, os_reason
from mtrl.scoring.scores import Policy
from mtrl.video.drawing import drawing_env
from mtrl.video.frames import record_video

SIDE = 192  # pixels of a task's image
FPS = 20  # episode steps per second: if steps are skipped, each image is shown for longer
MAX_FRAMES = 100  # a MuJoCo scene rendered without a GPU takes a tenth of a second
COLOURS = 128  # in a GIF's palette, shared by all of its images


def check_video(path: Path) -> None:
    """Raise ``UsageError`` before anything is played if a video cannot be written to ``path``."""
    kind = path.suffix.lower()
    if kind not in (".gif", ".mp4"):
        raise UsageError(f"--record is {str(path)!r}; it must end in .gif or .mp4")
    if kind == ".mp4":
        ffmpeg()
    if not path.parent.is_dir():
        raise UsageError(f"--record {str(path)!r} cannot be written: there is no folder {str(path.parent)!r}")


def record(suite: TaskSuite, policy: Policy, path: Path, seed: int, device: torch.device) -> None:
    """Play an episode of every task and write it to a .gif or .mp4.

    Raises ``UsageError`` if a task cannot render or the file cannot be written.
    """
    env = drawing_env(suite, "--record")
    frames, every = record_video(env, policy, seed, device, SIDE, MAX_FRAMES)
    env.close()
    try:
        if path.suffix.lower() == ".mp4":
            write_mp4(frames, path, FPS / every)
        else:
            path.write_bytes(gif_of(frames, FPS / every))
    except OSError as error:
        raise UsageError(f"--record {str(path)!r} cannot be written: {os_reason(error)}") from None


def gif_of(frames: Sequence[Image.Image], fps: float, colours: int = COLOURS) -> bytes:
    """Return images of one size as an endless GIF; it is not dithered, so that unchanged regions cost no bytes."""
    first, middle, last = frames[0], frames[len(frames) // 2], frames[-1]
    sample = Image.new("RGB", (first.width, 3 * first.height))
    for k, frame in enumerate((first, middle, last)):
        sample.paste(frame, (0, k * first.height))
    palette = sample.quantize(colours)
    images = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    file = io.BytesIO()
    options = {"duration": round(1000 / fps), "loop": 0, "optimize": True}
    images[0].save(file, "GIF", save_all=True, append_images=images[1:], **options)
    return file.getvalue()


def ffmpeg() -> str:
    """Return the path of ffmpeg: imageio-ffmpeg's, else the system's. Raises ``UsageError`` if there is none."""
    if find_spec("imageio_ffmpeg") is not None:
        import imageio_ffmpeg

        try:
            return str(imageio_ffmpeg.get_ffmpeg_exe())
        except RuntimeError:  # a build of the package without the binary
            pass
    if found := shutil.which("ffmpeg"):
        return found
    raise UsageError("an .mp4 needs ffmpeg, which is not installed: pip install -e '.[video]', or give --record a .gif")


def write_mp4(frames: Sequence[Image.Image], path: Path, fps: float) -> None:
    """Write images of one size, both sides even, as H.264 that browsers and slides can play.

    Raises ``OSError`` with ffmpeg's last line of output if it fails.
    """
    width, height = frames[0].size
    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", f"{fps}", "-i", "-"]
    target = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "20", "-movflags", "+faststart", "-f", "mp4"]
    finished = subprocess.run(
        # A file URL, so that a name that begins with a dash or contains a colon is taken as a name.
        [ffmpeg(), "-y", "-loglevel", "error", *source, *target, f"file:{path}"],
        input=b"".join(frame.tobytes() for frame in frames),
        capture_output=True,
        check=False,
    )
    if finished.returncode:
        lines = finished.stderr.decode(errors="replace").strip().splitlines()
        raise OSError(lines[-1] if lines else f"ffmpeg ended with exit code {finished.returncode}")
