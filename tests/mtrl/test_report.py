"""The report: one file that loads nothing, holds the comparison's figures, and shows user input as text."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from mtrl import report
from mtrl.comparison.compare import compare
from mtrl.gathering.gather import gather
from tests.mtrl.made_runs import make_run
from tests.mtrl.pages import first_table, make_runs, read

NASTY = '<script>alert("x")</script> & | co'


def test_the_page_holds_the_comparisons_figures(written: Path) -> None:
    comparison = compare(gather([written.parent / "runs"]))
    text = read(written).text
    for one in comparison.agents:
        assert f"{one.iqm.value:.2f} ({one.iqm.low:.2f} to {one.iqm.high:.2f})" in text
        assert f"{one.parameters:,}" in text
        assert one.auc is not None
        assert f"{one.auc.value:.2f} ({one.auc.low:.2f} to {one.auc.high:.2f})" in text
    for effect in comparison.effects:
        assert effect.transfer is not None
        assert f"{effect.transfer.value:+.2f}" in text
        assert effect.verdict in text
    assert "Sentence of reach." in text
    assert "python -m x" in text
    assert "4,000 per task, " in text
    command = f"python -m mtrl.report {written.parent / 'runs'} --out {written} --markdown"
    assert command in text
    assert command in written.with_suffix(".md").read_text()


def test_it_loads_nothing_and_runs_nothing(written: Path) -> None:
    page = read(written)
    assert not {"script", "link", "iframe", "img", "object"} & {*page.tags}
    assert not {"src", "srcset", "data", "action", "onload", "onclick"} & {name for name, _ in page.attributes}
    source = written.read_text()
    links = {value for name, value in page.attributes if name.endswith("href") and value}
    assert all(link.startswith("#") for link in links)
    assert {*re.findall(r"https?://[^\"' >)]+", source)} <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert not re.search(r"@import|url\((?!#)", source)
    assert "default-src 'none'" in source


def test_what_users_name_is_shown_as_text(tmp_path: Path) -> None:
    make_runs(tmp_path / "runs", (NASTY, "push"))
    assert report.main([str(tmp_path / "runs"), "--out", str(tmp_path / "r.html"), "--markdown"]) == 0
    page = read(tmp_path / "r.html")
    assert "script" not in page.tags
    assert page.text.count(NASTY) >= 5
    markdown = (tmp_path / "r.md").read_text()
    assert "<script" not in markdown
    assert '&lt;script&gt;alert("x")&lt;/script&gt; &amp; \\| co' in markdown


def test_tables_in_markdown_have_as_many_cells_in_each_row(written: Path) -> None:
    lines = written.with_suffix(".md").read_text().splitlines()
    tables = 0
    for above, below in pairwise(lines):
        if above.startswith("|") and below.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", above)) == len(re.findall(r"(?<!\\)\|", below)), (above, below)
            tables += set(below) <= set("|- ")
    assert tables >= 4
    assert not any(line.startswith("|") and not line.endswith("|") for line in lines)


def test_diagnostics_are_drawn_and_put_into_words(tmp_path: Path) -> None:
    make_runs(tmp_path / "runs", ("reach", "push"), agents=("care",))
    for run in (tmp_path / "runs/tabletop/care").iterdir():
        entries = [
            ("attention", 1000, ["enc 1", "enc 2"], [[0.5, 0.5], [0.5, 0.5]]),
            ("attention", 4000, ["enc 1", "enc 2"], [[0.91, 0.09], [0.08, 0.92]]),
            ("gradient_cosine", 4000, ["reach", "push"], [[1.0, -0.37], [-0.37, 1.0]]),
            ("actor_gradient_cosine", 4000, ["reach", "push"], [[1.0, 0.28], [0.28, 1.0]]),
            ("context_similarity", 4000, ["reach", "push"], [[1.0, math.nan], [0.13, 1.0]]),
        ]
        with (run / "matrices.jsonl").open("w") as file:
            for name, step, columns, values in entries:
                line = {"step": step, "name": name, "rows": ["reach", "push"], "columns": columns, "values": values}
                file.write(json.dumps(line) + "\n")
        with (run / "metrics.csv").open("a") as file:
            file.write("4000,1.00,train_diagnostics/effective_rank,17.2\n")
            file.write("4000,1.00,train_diagnostics/conflict_rate,0.67\n")
            file.write("4000,1.00,train_diagnostics/attention_information,0.42\n")
    ablation = {"measure": "success_any", "tasks": ["reach", "push"], "encoders": ["enc 1", "enc 2"]}
    ablation |= {"whole": [0.9, 0.8], "without": [[0.21, 0.9], [0.8, 0.8]]}
    (tmp_path / "runs/tabletop/care/seed0/ablation.json").write_text(json.dumps(ablation))
    assert report.main([str(tmp_path / "runs"), "--out", str(tmp_path / "r.html")]) == 0
    text = read(tmp_path / "r.html").text
    for expected in (".91", "-.37", ".28", ".13", "0.42 of", "reach and push (-0.37)", "different encoders", "17"):
        assert expected in text
    # The sentence, the table and the map beside each other say the same, of the critic and of the actor.
    assert "Critic: 1 of 1 pairs of tasks conflicts" in text
    assert "Actor: No pair of tasks conflicts" in text
    assert "pairs of tasks that conflict in the critic, second half of training1 of 1" in text
    assert "pairs of tasks that conflict in the actor, second half of training0 of 1" in text
    assert "Interference in the actor" in text
    assert "67%" not in text
    assert "after 1,000 steps per task" in text
    assert "nan" not in text


@pytest.mark.parametrize(("score", "leads"), [(1.0, "area under the curve"), (0.8, "final score")])
def test_the_agents_table_leads_with_the_area_where_scores_are_at_the_ceiling(
    tmp_path: Path, score: float, leads: str
) -> None:
    for agent, early in (("care", 0.5), ("single-task", 0.8)):
        for seed in range(3):
            make_run(tmp_path / "runs", agent, seed, {"reach": score}, {"reach": [early * score, score, score, score]})
    assert report.main([str(tmp_path / "runs"), "--out", str(tmp_path / "r.html"), "--markdown"]) == 0
    head, rows = first_table(tmp_path / "r.html")
    assert head[1].startswith(leads)
    area, final = ("0.75", "1.00") if leads.startswith("area") else ("0.60", "0.80")
    lead, other = (area, final) if leads.startswith("area") else (final, area)
    assert (rows[0][0], rows[0][1][:4], rows[0][2][:4]) == ("care", lead, other)
    source = (tmp_path / "r.html").read_text()
    where = source.index('<span class="dot"', source.index("The agents"))
    # The first bar is drawn where the leading number is, on a scale from 0 to 1.
    assert f"left:{100 * float(lead):.1f}%" in source[where : where + 60]


def test_seeds_are_counted_rather_than_listed(written: Path) -> None:
    head, rows = first_table(written)
    assert [row[head.index("seeds")] for row in rows] == ["3", "3"]
    assert 'data-label="seeds">3<' in written.read_text()


def test_a_score_and_a_difference_have_different_headings_and_differences_have_signs(written: Path) -> None:
    lines = written.with_suffix(".md").read_text().splitlines()
    at = next(k for k, line in enumerate(lines) if line.startswith("| task |"))
    head = [cell.strip() for cell in lines[at].strip("|").split("|")]
    assert head == ["task", "final score: single-task", "final score: care", "transfer: care"]
    cells = [cell.strip() for cell in lines[at + 2].strip("|").split("|")]
    assert re.match(r"[+-]\d", cells[3])
    assert not re.match(r"[+-]", cells[1] + cells[2])
    source = written.read_text()
    for label in ("final score of single-task", "final score of care", "transfer: care", "transfer"):
        assert f'data-label="{label}"' in source
    assert re.search(r'data-label="difference in area under the curve">.*?<span class="number">[+-]', source)


def test_a_run_of_another_budget_is_named_in_a_note_and_taken_by_asking(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_runs(tmp_path / "runs", ("reach", "push"))
    short = make_run(tmp_path / "runs", "care", 9, steps_per_task=1000)
    assert report.main([str(tmp_path / "runs"), "--out", str(tmp_path / "r.html")]) == 0
    assert "4,000 per task, " in read(tmp_path / "r.html").text
    assert f"set aside: 1,000 steps per task rather than 4,000, in {str(short)!r}" in read(tmp_path / "r.html").text
    assert "set aside" in capsys.readouterr().err
    asked = [str(tmp_path / "runs"), "--out", str(tmp_path / "r.html"), "--steps-per-task", "1000"]
    assert report.main(asked) == 0
    assert "1,000 per task, " in read(tmp_path / "r.html").text
    assert "set aside" not in read(tmp_path / "r.html").text


def test_a_suite_that_is_scored_by_return_has_a_page_too(tmp_path: Path) -> None:
    for agent, score in (("care", -150.0), ("single-task", -200.0)):
        for seed in range(3):
            scores = {"light": score - seed, "heavy": 2 * score + seed}
            make_run(tmp_path / "runs", agent, seed, scores, chance={"light": -900.0, "heavy": -1200.0})
    assert report.main([str(tmp_path / "runs"), "--out", str(tmp_path / "r.html")]) == 0
    assert "normalised: 0 is random actions, 1 is single-task" in read(tmp_path / "r.html").text


def test_without_single_task_and_with_one_seed_the_page_goes_on(tmp_path: Path) -> None:
    make_runs(tmp_path / "runs", ("reach",), seeds=1, agents=("care", "mtsac"))
    assert report.main([str(tmp_path / "runs"), "--out", str(tmp_path / "r.html"), "--markdown"]) == 0
    text = read(tmp_path / "r.html").text
    assert "one seed proves nothing" in text
    assert "--agents single-task" in text


def test_a_large_comparison_stays_below_two_megabytes(tmp_path: Path) -> None:
    agents = ("care", "mtsac", "mtmhsac", "single-task", "sb3")
    make_runs(tmp_path / "runs", [f"task-{k}" for k in range(10)], seeds=5, agents=agents)
    assert report.main([str(tmp_path / "runs"), "--out", str(tmp_path / "r.html")]) == 0
    assert (tmp_path / "r.html").stat().st_size < 2e6


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["{runs}", "--out", "{tmp}/no/r.html"], "cannot be written"),
        (["{runs}", "--out", "{tmp}/r.pdf"], "end in .html"),
        (["{tmp}/none"], "is neither a run nor a pattern"),
        ([], "no run"),
        (["{runs}", "--out", "{tmp}/r.html", "--baseline", "singel-task"], "single-task"),
    ],
)
def test_bad_input_is_refused_in_a_line_and_leaves_no_file(
    refused: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], told: str
) -> None:
    make_runs(tmp_path / "runs", ("reach",))
    monkeypatch.chdir(tmp_path)
    line = refused(report.main, *[a.format(runs=tmp_path / "runs", tmp=tmp_path) for a in arguments])
    assert told in line
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runs"]


def test_a_page_that_is_there_survives_a_refusal(refused: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "r.html").write_text("kept")
    refused(report.main, str(tmp_path / "none"), "--out", str(tmp_path / "r.html"))
    assert (tmp_path / "r.html").read_text() == "kept"
