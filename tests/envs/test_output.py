"""Output that cannot be written does not end the program; only a full disk is reported."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = """
    import sys
    from pathlib import Path
    from envs.output import lasting_output

    with lasting_output() as failures:
        for k in range(20_000):
            print("a line of output", k)
        sys.stderr.write("a warning\\n")
        Path(sys.argv[1]).write_text(f"{sys.stdout.isatty()} {sys.stdout.encoding} ")
    with Path(sys.argv[1]).open("a") as file:
        file.write(str([failure.strerror for failure in failures]))
"""


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    ("redirection", "failures"),
    [
        ("| head -1", "[]"),
        ("2>&1 | head -1", "[]"),
        (">&- 2>&-", "[]"),
        ("| wc -l", "[]"),
        pytest.param(
            "> /dev/full",
            "['No space left on device']",
            marks=pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full"),
        ),
    ],
)
def test_what_cannot_be_written_is_dropped(redirection: str, failures: str, unbuffered: str, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(textwrap.dedent(SCRIPT))
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f'"{sys.executable}" script.py output {redirection}'],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": unbuffered, "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done
    assert (tmp_path / "output").read_text() == f"False utf-8 {failures}"
    assert "Traceback" not in done.stderr
    if "head" in redirection:
        assert done.stdout == "a line of output 0\n"
    if "wc" in redirection:
        assert int(done.stdout) == 20_000


def test_what_an_encoding_lacks_is_escaped(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        "from envs.output import lasting_output\nwith lasting_output():\n    print('t\\u00fcr', '\\ud800')\n"
    )
    for encoding, encoded in (("ascii", rb"t\xfcr"), ("utf-8", "tür".encode()), ("latin-1", b"t\xfcr")):
        done = subprocess.run(
            [sys.executable, "script.py"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding},
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stdout.rstrip(), done.stderr) == (0, encoded + rb" \ud800", b"")
