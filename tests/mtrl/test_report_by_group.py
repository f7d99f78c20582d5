"""The report of many tasks: by group, each group opening to its tasks."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mtrl import report
from tests.mtrl.made_runs import make_run
from tests.mtrl.pages import read

GROUPS = {f"task-{k}": ("open", "shut & <b>", "turn")[k % 3] for k in range(24)}


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Two agents on 24 tasks of three groups: ``open`` is better together, ``turn`` alone."""
    better = {"open": 0.3, "turn": -0.3}
    for agent in ("care", "single-task"):
        for seed in range(3):
            gain = {task: better.get(group, 0.0) * (agent == "care") for task, group in GROUPS.items()}
            scores = {task: 0.5 + 0.01 * (seed + k % 5) + gain[task] for k, task in enumerate(GROUPS)}
            run = make_run(tmp_path / "runs", agent, seed, scores, groups=GROUPS)
            same = [[GROUPS[one] == GROUPS[other] for other in GROUPS] for one in GROUPS]
            values = [[1.0 if i == k else 0.5 * same[i][k] for k in range(24)] for i in range(24)]
            line = {"step": 4000, "name": "gradient_cosine", "rows": [*GROUPS], "columns": [*GROUPS], "values": values}
            (run / "matrices.jsonl").write_text(json.dumps(line) + "\n")
    assert report.main([str(tmp_path / "runs"), "--out", str(tmp_path / "r.html"), "--markdown"]) == 0
    return tmp_path / "r.html"


def test_many_tasks_are_shown_by_group_and_each_group_opens_to_its_tasks(many: Path) -> None:
    page, source = read(many), many.read_text()
    assert "Group by group: learned together, against single-task" in page.text
    assert "Task by task" not in page.text
    assert source.count('<details class="tasks">') == 3
    first, *_ = source.split('<details class="tasks">')
    assert "task-3" not in first[first.index("Group by group") :]
    opened = source.split('<details class="tasks">')[2]
    assert "shut &amp; &lt;b&gt;: 8 tasks" in opened
    assert "task-4" in opened
    assert "task-3<" not in opened
    assert source.count('role="img"') == 2 + 1 + 3 + 24  # charts: of two costs, of all, of each group, of each task


def test_a_group_is_judged_by_the_mean_over_its_tasks(many: Path) -> None:
    lines = many.with_suffix(".md").read_text().splitlines()
    at = lines.index("| group | final score: single-task | final score: care | transfer: care |")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[at + 2 : at + 5]]
    assert [row[0] for row in rows] == ["open", "shut &amp; &lt;b&gt;", "turn"]
    assert [float(row[2]) - float(row[1]) for row in rows] == pytest.approx([0.3, 0.0, -0.3], abs=0.011)
    assert [row[3].split(maxsplit=1)[1] for row in rows] == ["helped", "no difference at this number of seeds", "hurt"]
    assert "<details><summary>The 24 tasks</summary>" in lines
    assert len([line for line in lines if line.startswith("| task-")]) == 24


def test_maps_of_many_tasks_are_drawn_by_group_and_none_stands_beside_itself(many: Path) -> None:
    source = many.read_text()
    heat = source[source.index('<table class="heat">') :]
    heat = heat[: heat.index("</table>")]
    rows = (".50", ".00", ".00"), (".00", ".50", ".00"), (".00", ".00", ".50")
    assert re.findall(r"<span>([^<]*)</span></td>", heat) == [cell for row in rows for cell in row]
    assert "open (8), shut &amp; &lt;b&gt; (8), turn (8)" in source
    assert "helped on 8 of 24 tasks (task-0 and 7 others)" in source
