"""Video files: GIF and MP4, and those that cannot be written."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mtrl.errors import UsageError
from mtrl.video import recording
from mtrl.video.recording import check_video, ffmpeg, gif_of, write_mp4


def moving(count: int) -> list[Image.Image]:
    frames = [Image.new("RGB", (64, 48), "white") for _ in range(count)]
    for k, frame in enumerate(frames):
        frame.paste((200, 30, 30), (4 * k, 10, 4 * k + 12, 30))
    return frames


def test_a_gif_plays_its_images_at_the_pace_asked_for() -> None:
    with Image.open(io.BytesIO(gif_of(moving(8), 10))) as read:
        assert (read.n_frames, read.size, read.info["duration"], read.info["loop"]) == (8, (64, 48), 100, 0)
        for k in range(8):
            read.seek(k)
            assert read.convert("RGB").getpixel((4 * k + 6, 20)) == (200, 30, 30)


def test_an_mp4_decodes_to_its_images(tmp_path: Path) -> None:
    pytest.importorskip("imageio_ffmpeg")
    path = tmp_path / "-a:b.mp4"
    write_mp4(moving(8), path, 10)
    decode = [ffmpeg(), "-i", f"file:{path}", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    decoded = subprocess.run(decode, capture_output=True, check=True)
    about = decoded.stderr.decode()
    assert "Video: h264" in about
    assert "64x48" in about
    assert "10 fps" in about
    frames = list(np.frombuffer(decoded.stdout, np.uint8).reshape(-1, 48, 64, 3))
    assert len(frames) == 8
    for k, frame in enumerate(frames):
        assert np.abs(frame[20, 4 * k + 6].astype(int) - (200, 30, 30)).max() < 40
        assert frame[40, 60].min() > 230


def test_a_video_that_cannot_be_written_is_refused_before_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_video(tmp_path / "a.GIF")
    with pytest.raises(UsageError, match=r"'video.avi'; it must end in .gif or .mp4"):
        check_video(Path("video.avi"))
    with pytest.raises(UsageError, match=r"no' cannot be written|there is no folder '.*no'"):
        check_video(tmp_path / "no" / "a.gif")
    monkeypatch.setattr(recording, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match=r"pip install -e '.\[video\]', or give --record a .gif"):
        check_video(tmp_path / "a.mp4")
    (tmp_path / "ffmpeg").write_text("#!/bin/sh\n")
    (tmp_path / "ffmpeg").chmod(0o755)
    check_video(tmp_path / "a.mp4")


def test_the_message_of_ffmpeg_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\ncat > /dev/null\necho one >&2\necho 'no such codec' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(recording, "ffmpeg", lambda: str(program))
    with pytest.raises(OSError, match="^no such codec$"):
        write_mp4(moving(2), tmp_path / "a.mp4", 10)
