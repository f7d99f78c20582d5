"""A window that shows images. It uses tkinter, which comes with Python, so nothing more needs to be installed."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any

from PIL import Image

from mtrl.errors import UsageError

WAY_OUT = "record a video instead: python -m mtrl.evaluate RUN --record video.gif"


class Window:
    """Shows images at ``fps`` until it is closed by its button, Escape or q.

    Raises ``UsageError`` if there is no display or Python has no tkinter.
    """

    def __init__(self, title: str, fps: float) -> None:
        try:
            import tkinter
        except ImportError:
            raise UsageError(
                f"this Python has no tkinter, which the window needs (apt-get install python3-tk); or {WAY_OUT}"
            ) from None
        try:
            self._root = tkinter.Tk(className="mtrl")
        except tkinter.TclError as error:
            raise UsageError(f"no window can be opened ({error}); {WAY_OUT}") from None
        self._broken = tkinter.TclError
        self._root.title(title)
        self._root.resizable(False, False)
        self._label = tkinter.Label(self._root, borderwidth=0)
        self._label.pack()
        self._root.protocol("WM_DELETE_WINDOW", self.close)
        for key in ("<Escape>", "q"):
            self._root.bind(key, self.close)
        self.open = True
        self._wait, self._next = 1.0 / fps, time.monotonic()

    def show(self, image: Image.Image) -> bool:
        """Wait until the image is due, show it, and return whether the window is still open."""
        from PIL import ImageTk

        while self.open and (left := self._next - time.monotonic()) > 0:
            self._update()
            time.sleep(min(left, 0.02))  # short, so that keys are handled promptly
        self._next = max(self._next + self._wait, time.monotonic())
        if self.open:
            self._shown = ImageTk.PhotoImage(image, master=self._root)  # Tk keeps no reference to it
            self._label.configure(image=self._shown)
            self._update()
        return self.open

    def close(self, *_: Any) -> None:
        """Close the window; a second call does nothing."""
        if self.open:
            self.open = False
            self._root.destroy()

    def _update(self) -> None:
        try:
            self._root.update()
        except self._broken:  # the window, or its display, is gone
            self.open = False

    def __enter__(self) -> Window:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
