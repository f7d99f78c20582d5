"""Score against cost in a report: by which clock, who is on the front, and its pictures."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mtrl import report
from tests.mtrl.pages import first_table, make_runs, read


def took(runs: Path, **seconds: float) -> None:
    """Have the runs of agents take so long of the processor, on a CPU."""
    for agent, own in seconds.items():
        for file in (runs / "tabletop" / agent.replace("_", "-")).glob("*/result.json"):
            file.write_text(json.dumps({**json.loads(file.read_text()), "device": "cpu", "cpu_seconds": own}))


@pytest.mark.parametrize("all_known", [True, False])
def test_training_time_is_by_one_clock_and_the_page_says_which(tmp_path: Path, all_known: bool) -> None:
    make_runs(tmp_path / "runs", ("reach", "push"))
    took(tmp_path / "runs", care=2500.0, **({"single_task": 1234.0} if all_known else {}))
    assert report.main([str(tmp_path / "runs"), "--out", str(tmp_path / "r.html"), "--markdown"]) == 0
    clock, other = ("processor", "wall") if all_known else ("wall", "processor")
    head, rows = first_table(tmp_path / "r.html")
    column = head.index(f"{clock} seconds of training")
    assert [row[column] for row in rows] == (["2,500", "1,234"] if all_known else ["61", "61"])
    for text in (read(tmp_path / "r.html").text, (tmp_path / "r.md").read_text()):
        assert f"in fewer {clock} seconds of training" in text
        assert f"Area under the learning curve over {clock} seconds of training" in text
        assert f"{other} seconds" not in text
        assert f"{other.capitalize()} seconds" not in text


def test_the_front_is_in_the_summary_and_drawn_and_markdown_has_the_pictures(written: Path) -> None:
    """single-task scores higher, at as many wall seconds and twice the parameters."""
    said = (
        "scores higher in fewer wall seconds of training than single-task, and none with fewer parameters than care or"
    )
    for text in (read(written).text, written.with_suffix(".md").read_text()):
        assert said in text.split("The agents")[0]
    source = written.read_text()
    front = "none scores higher with fewer parameters than care or single-task"
    assert f'aria-label="Area under the learning curve over parameters, 2 agents; {front}"' in source
    for kind in ("time", "parameters"):
        assert f"](r-{kind}.svg)" in written.with_suffix(".md").read_text()
        picture = (written.parent / f"r-{kind}.svg").read_text()
        assert re.search(r">care</text>", picture)
        assert "var(" not in picture


def test_one_agent_alone_has_no_score_against_cost(tmp_path: Path) -> None:
    make_runs(tmp_path / "runs", ("reach", "push"), agents=("care",))
    assert report.main([str(tmp_path / "runs"), "--out", str(tmp_path / "r.html"), "--markdown"]) == 0
    for text in (read(tmp_path / "r.html").text, (tmp_path / "r.md").read_text()):
        assert "against cost" not in text
        assert "wall seconds of training" in text
    assert {file.name for file in tmp_path.iterdir()} == {"runs", "r.html", "r.md"}
