"""The log: the same scalars in metrics.csv and in TensorBoard's events by steps per task, and pictures of attention."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from mtrl.pictures.heat_maps import COSINES, SHARES, heat_map
from mtrl.tracking.run_log import RunLog, board_tag, per_task
from mtrl.tracking.tags import GROUP_SUCCESS, task_tag
from mtrl.video.recording import gif_of
from tests.mtrl.conftest import metrics


def events_of(run: Path) -> EventAccumulator:
    """Everything in a run's events file, nothing thinned out."""
    return EventAccumulator(str(run), size_guidance={"scalars": 0, "images": 0, "tensors": 0}).Reload()


def test_a_line_has_step_seconds_tag_and_value_and_nan_is_left_out(tmp_path: Path) -> None:
    with RunLog(tmp_path) as log:
        log.scalars(10, {"a": 1.5, "b/c": math.nan, "d": -2.0})
        log.scalars(20, {"a": 1234567.0, "b/c": 1e-9})
    lines = (tmp_path / "metrics.csv").read_text().splitlines()
    assert lines[0] == "step,seconds,tag,value"
    assert all(0.0 <= float(line.split(",")[1]) < 60.0 for line in lines[1:])
    assert metrics(tmp_path) == [
        (10, "a", 1.5),
        (10, "d", -2.0),
        (20, "a", pytest.approx(1234567.0, rel=1e-5)),
        (20, "b/c", pytest.approx(1e-9)),
    ]


def test_counts_are_written_to_the_last_digit(tmp_path: Path) -> None:
    """More than six digits: a run of ten tasks has a million steps at 100,000 in each."""
    with RunLog(tmp_path) as log:
        log.scalars(1, {"time/total_timesteps": 1_234_568.0})
    assert metrics(tmp_path) == [(1, "time/total_timesteps", 1_234_568.0)]


def test_lines_can_be_read_while_the_run_goes_on(tmp_path: Path) -> None:
    log = RunLog(tmp_path)
    log.scalars(1, {"a": 1.0})
    assert metrics(tmp_path) == [(1, "a", 1.0)]
    log.scalars(2, {"a": 2.0})
    assert metrics(tmp_path) == [(1, "a", 1.0), (2, "a", 2.0)]
    log.close()


def test_both_clocks_go_on_where_a_run_is_gone_on_with(tmp_path: Path) -> None:
    with RunLog(tmp_path) as log:
        state = log.state_dict()
    with RunLog(tmp_path, resumed={**state, "seconds": 1e6, "cpu_seconds": 2e6}) as log:
        wall, cpu = log.spent
        assert cpu is not None
        assert (wall >= 1e6, cpu >= 2e6) == (True, True)
        assert log.state_dict()["cpu_seconds"] >= 2e6


def test_a_checkpoint_from_before_processor_time_was_kept_leaves_it_unknown(tmp_path: Path) -> None:
    with RunLog(tmp_path) as log:
        state = {name: value for name, value in log.state_dict().items() if name != "cpu_seconds"}
    with RunLog(tmp_path, resumed=state) as log:
        assert log.spent.cpu is None
        assert log.state_dict()["cpu_seconds"] is None


def test_what_was_logged_before_an_error_is_kept(tmp_path: Path) -> None:
    def fail() -> None:
        with RunLog(tmp_path) as log:
            log.scalars(1, {"a": 1.0})
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        fail()
    assert metrics(tmp_path) == [(1, "a", 1.0)]
    assert [event.value for event in events_of(tmp_path).Scalars("a")] == [1.0]


def test_a_tasks_name_is_the_last_part_of_its_tag() -> None:
    tags = per_task("eval/return", ("reach", "family/push-v3"), [1.0, 2.0])
    assert tags == {"eval/return/reach": 1.0, "eval/return/family-push-v3": 2.0}
    with pytest.raises(ValueError, match="zip"):
        per_task("eval/return", ("reach",), [1.0, 2.0])


def test_of_an_evaluation_success_alone_is_in_the_group_that_time_series_opens_on() -> None:
    stays = ["eval/success_rate", "eval/success_rate/push", "rollout/success_rate", "train/ent_coef", "time/fps"]
    assert [board_tag(tag) for tag in stays] == stays
    moves = ["return", "return/push", "return_best", "success_last", "success_last/push", "success_low"]
    assert [board_tag(f"eval/{tag}") for tag in moves] == [f"eval_detail/{tag}" for tag in moves]
    assert min([board_tag(f"eval/{tag}") for tag in moves] + stays) == "eval/success_rate"
    groups = task_tag(GROUP_SUCCESS, "push")
    assert board_tag(groups) == groups < "eval/success_rate"


@pytest.mark.parametrize("agent", ["care", "single-task"])
def test_events_and_csv_hold_the_same_steps_and_values_under_tags_that_tell_each_other(
    finished: Path, agent: str
) -> None:
    run = finished / "tabletop" / agent / "seed0"
    events, lines = events_of(run), metrics(run)
    tags = {tag for _, tag, _ in lines}
    assert set(events.Tags()["scalars"]) == {board_tag(tag) for tag in tags}
    for tag in tags:
        written = [(step, value) for step, own, value in lines if own == tag]
        shown = [(event.step, event.value) for event in events.Scalars(board_tag(tag))]
        assert [step for step, _ in shown] == [step for step, _ in written], tag
        for (_, mine), (_, theirs) in zip(shown, written, strict=True):
            assert mine == pytest.approx(theirs, rel=1e-4, abs=1e-6), tag
    assert max(step for step, _, _ in lines) == 256  # steps in each task, not over both


def test_care_shows_its_attention_at_every_evaluation_and_the_baseline_has_none(finished: Path) -> None:
    events = events_of(finished / "tabletop" / "care" / "seed0")
    pictures = events.Images("viz/attention")
    assert [picture.step for picture in pictures] == [32, 64, 96, 128, 160, 192, 224, 256]
    for picture in pictures:
        assert picture.encoded_image_string.startswith(b"\x89PNG")
        assert 100 < picture.width < 1000
        assert 80 < picture.height < 1000
    assert events_of(finished / "tabletop" / "single-task" / "seed0").Tags()["images"] == ["viz/curves"]


def test_the_configuration_stands_in_the_text_tab(finished: Path) -> None:
    events = events_of(finished / "tabletop" / "care" / "seed0")
    (event,) = events.Tensors("config/text_summary")
    rows = event.tensor_proto.string_val[0].decode().splitlines()
    assert "| steps_per_task | 256 |" in rows
    assert "| hidden | (16,) |" in rows


VIRIDIS = (68, 1, 84), (253, 231, 36)  # at 0 and at 1
BLUE, WHITE, RED = (5, 48, 97), (247, 246, 246), (103, 0, 31)  # RdBu_r at -1, 0 and 1


def coloured(picture: np.ndarray) -> set[tuple[int, ...]]:
    return {tuple(pixel) for pixel in picture.reshape(-1, 3).tolist()}


def cells(picture: np.ndarray, colour: tuple[int, ...]) -> int:
    """How many pixels have a colour, those of the scale above the map, which has all of them, left out."""
    return int((picture[30:] == colour).all(axis=2).sum())


def test_a_heat_map_has_a_colour_for_each_share_and_grows_with_the_table() -> None:
    small = heat_map(np.array([[1.0, 0.0], [0.5, 0.5]]), ["a", "b"], ["1", "2"], SHARES)
    names = [f"task {k}" for k in range(50)]
    large = heat_map(np.full((50, 10), 0.1), names, [str(k) for k in range(10)], SHARES)
    assert small.dtype == np.uint8
    assert small.shape[2] == large.shape[2] == 3
    assert large.shape[0] > 2 * small.shape[0]
    flipped = heat_map(np.array([[0.0, 1.0], [0.5, 0.5]]), ["a", "b"], ["1", "2"], SHARES)
    assert small.shape == flipped.shape
    assert (small != flipped).any()
    assert all(cells(small, colour) > 500 for colour in VIRIDIS)


@pytest.mark.parametrize("tasks", [2, 10, 20, 50])
def test_a_heat_map_is_as_wide_as_tensorboard_shows_it(tasks: int) -> None:
    """A wider one would be shrunk, and its letters with it. What does not fit, matplotlib warns of: an error here."""
    names = [f"MountainCarContinuous-v{k}-and-more" for k in range(tasks)]
    for scale in (COSINES, SHARES):
        picture = heat_map(np.eye(tasks), names, names, scale)
        assert picture.shape[1] == 340
        assert 80 < picture.shape[0] < 1000


def test_cosines_have_the_same_colours_whether_one_is_negative_or_not() -> None:
    mixed = heat_map(np.array([[1.0, -1.0], [np.nan, 0.0]]), ["a", "b"], ["a", "b"], COSINES)
    assert all(cells(mixed, colour) > 500 for colour in (BLUE, WHITE, RED))
    agreeing = heat_map(np.array([[1.0, 0.0], [0.0, 1.0]]), ["a", "b"], ["a", "b"], COSINES)
    assert all(cells(agreeing, colour) > 500 for colour in (WHITE, RED))
    assert not coloured(agreeing) & {*VIRIDIS}


def test_names_that_begin_alike_stay_different_in_a_heat_map() -> None:
    def drawn(names: list[str]) -> np.ndarray:
        return heat_map(np.eye(1), names, ["1"], SHARES)

    long = "a-very-long-name-of-a-task-that-is-to-"
    assert (drawn([long + "open"]) != drawn([long + "shut"])).any()


def test_numbers_of_a_table_are_kept_beside_their_picture(tmp_path: Path) -> None:
    with RunLog(tmp_path) as log:
        log.matrix(20, "attention", np.array([[0.25, 0.75]]), ["a"], ["enc 1", "enc 2"], SHARES)
    (line,) = (tmp_path / "matrices.jsonl").read_text().splitlines()
    kept = {"step": 20, "name": "attention", "rows": ["a"], "columns": ["enc 1", "enc 2"], "values": [[0.25, 0.75]]}
    assert json.loads(line) == kept
    assert events_of(tmp_path).Tags()["images"] == ["viz/attention"]


def test_many_tasks_are_drawn_by_group_and_kept_each(tmp_path: Path) -> None:
    names = [f"task {k}" for k in range(50)]
    groups = {"open": names[:25], "shut": names[25:]}
    values = np.repeat([[0.0, 1.0], [1.0, 0.0]], 25, axis=0)
    values[0], values[1] = [0.5, 0.5], [-0.5, 1.5]  # which their group's mean does not show
    for path, own in ((tmp_path / "many", groups), (tmp_path / "two", {})):
        with RunLog(path, groups=own) as log:
            shown = (values, names) if own else (np.array([[0.0, 1.0], [1.0, 0.0]]), ["open", "shut"])
            log.matrix(20, "attention", *shown, ["enc 1", "enc 2"], SHARES)
    (many,), (two,) = (events_of(tmp_path / run).Images("viz/attention") for run in ("many", "two"))
    assert many.encoded_image_string == two.encoded_image_string
    (line,) = (tmp_path / "many" / "matrices.jsonl").read_text().splitlines()
    assert (json.loads(line)["rows"], json.loads(line)["values"]) == (names, values.tolist())


def test_a_gif_is_an_image_of_the_one_events_file(tmp_path: Path) -> None:
    """Also that torch's writer still has the private call which takes a summary made by hand."""
    data = gif_of([Image.new("RGB", (6, 4), colour) for colour in ("red", "blue")], 10)
    with RunLog(tmp_path) as log:
        log.video(30, "viz/policy", data, 6, 4)
        log.video(60, "viz/policy", data, 6, 4)
    assert len(list(tmp_path.glob("events.out.tfevents*"))) == 1
    first, second = events_of(tmp_path).Images("viz/policy")
    assert (first.step, first.width, first.height, second.step) == (30, 6, 4, 60)
    assert first.encoded_image_string == data
    with Image.open(io.BytesIO(data)) as film:
        assert film.n_frames == 2
