"""What a command line says of its own defaults, before it is parsed."""

from __future__ import annotations

from pathlib import Path

import pytest

from mtrl.config.arguments import parse_command, parse_config, value_of
from mtrl.errors import UsageError


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("--from-run a", "a"),
        ("--from_run a", "a"),
        ("--from_run=a_b", "a_b"),
        ("--from-run=a=b --seed 3", "a=b"),
        ("--from_run a --from-run b", "b"),
        ("--from-run", None),
        ("--from-runs a", None),
        ("--suite from-run a", None),
    ],
)
def test_a_flag_is_read_as_the_parser_reads_it(line: str, value: str | None) -> None:
    assert value_of(line.split(), "--from-run") == value


def test_a_run_to_start_from_gives_the_defaults_however_its_flag_is_written(tmp_path: Path) -> None:
    for flag in ("--from", "--from-run", "--from_run"):
        with pytest.raises(UsageError, match=f"{tmp_path.name}/none"):
            parse_config([flag, str(tmp_path / "none")])


def test_the_latest_run_is_looked_for_in_the_folder_given(tmp_path: Path) -> None:
    for flag in ("--runs-dir", "--runs_dir"):
        with pytest.raises(UsageError, match=str(tmp_path)):
            parse_command(["--resume", "latest", flag, str(tmp_path)])
