"""Updates that are recorded once and replayed equal, bit for bit, the agent's eager updates."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from agents.base import seeded_generator
from agents.graph import MAX_UPDATES_PER_GRAPH, WARM_UP, CaptureFailed, GraphedUpdates, first_cause, updates_in_one
from agents.registry.compose import SLOTS
from agents.registry.pieces import PIECES
from agents.registry.presets import PRESETS
from agents.replay import Replay
from agents.sac import SAC
from tests.agents.conftest import MakeAgent, random_batch
from tests.agents.tape import Tape, TapeCapture, place, tensors

TASKS, OBS, ACTIONS, ROWS = 3, 4, 2, 8
# Every learning rate that is annealed to at a quarter of the run is a float32 number, so that graph and eager share it.
RATES = {"learning_rate": 2.0**-8, "final_learning_rate": 2.0**-10}
OF_PIECES = [name for name, preset in PRESETS.items() if preset.of_pieces]
CHOICES = [
    *({"agent": name} for name in OF_PIECES),
    *({"trunk": name} for name in PIECES["trunk"] if name != "separate"),
    *({"encoder": name} for name, piece in PIECES["encoder"].items() if piece.capturable),
    *({"penalty": name} for name, piece in PIECES["penalty"].items() if piece.capturable and not piece.own_weights),
    *(
        {slot: name}
        for slot in ("aggregator", "critic")
        for name, piece in PIECES[SLOTS[slot]].items()
        if piece.capturable
    ),
    {"gradient_norm": 0.5, "weight_decay": 1e-3, "obs_scale": "running", "reward_scale": "return"},
    {"agent": "single-task", "gradient_norm": 0.5, "obs_scale": "running"},
    {"network": "residual", "precision": "bfloat16"},
    {"agent": "care", "attention": "dot-product", "attention_sparsity": 0.1},
]


def replay_of(agent: SAC) -> Replay:
    replay = Replay(TASKS, 64, OBS, ACTIONS, seeded_generator(1))
    experience(agent, replay, 0)
    return replay


def experience(agent: SAC, replay: Replay, seed: int) -> None:
    """Steps of the environments between updates: the replay grows, scales move, and noise is drawn for actions."""
    batch = random_batch(TASKS, 10, OBS, ACTIONS, seed)
    replay.add(batch.obs, batch.action, batch.reward, batch.terminated, batch.next_obs)
    agent.observe(batch.obs, batch.reward, batch.terminated > 0)
    agent.act(batch.obs, explore=True)


def eager(agent: SAC, replay: Replay, updates: int) -> dict[str, Tensor]:
    """The eager updates that a graph must equal."""
    metrics: dict[str, Tensor] = {}
    for _ in range(updates):
        metrics = agent.update(replay.sample(ROWS, size=torch.tensor(replay.size)))
    return metrics


def lasting(agent: SAC, replay: Replay, updates: GraphedUpdates) -> set[int]:
    """Where the tensors are that live as long as the agent, its replay and its graph."""
    states = [state for optimizer in agent.optimizers.values() for state in optimizer.state.values()]
    owners = [
        vars(replay),
        vars(updates),
        vars(agent.head),
        dict(agent.named_parameters()),
        dict(agent.named_buffers()),
    ]
    return {place(tensor) for tensor in tensors([owners, states])}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def unlike(one: SAC, other: SAC) -> list[str]:
    """Where two agents' weights and buffers differ."""
    mine, theirs = ({**dict(agent.named_parameters()), **dict(agent.named_buffers())} for agent in (one, other))
    assert mine.keys() == theirs.keys()
    return [name for name in mine if not torch.equal(mine[name], theirs[name])]


@pytest.mark.parametrize("chosen", CHOICES, ids=lambda chosen: "-".join(map(str, chosen.values())))
def test_a_replay_takes_the_steps_of_the_agent_itself(make_agent: MakeAgent, chosen: dict[str, Any]) -> None:
    """The replay grows, the learning rate falls and the scales move while the same record is repeated."""
    name, settings = chosen.get("agent", "mtsac"), {k: v for k, v in chosen.items() if k != "agent"}
    graphed, plain = (make_agent(name, **{**RATES, **settings}) for _ in range(2))
    filled, other, capture = replay_of(graphed), replay_of(plain), TapeCapture()
    updates = GraphedUpdates(graphed, filled, ROWS, 2, capture)
    for step in range(5):
        for agent, replay in ((graphed, filled), (plain, other)):
            experience(agent, replay, step)
            agent.set_progress(step / 4)
        assert same(updates(), eager(plain, other, 2))
    assert unlike(graphed, plain) == []
    assert torch.equal(graphed.generator.get_state(), plain.generator.get_state())
    assert (capture.warmed, capture.recorded, capture.replayed) == (2, 1, 3)
    assert capture.read <= lasting(graphed, filled, updates)  # what is freed after the capture may not be read by it


def test_what_does_not_keep_its_place_is_not_seen_by_a_replay(make_agent: MakeAgent) -> None:
    """FAMO keeps its latest losses in a new tensor at each update, so it cannot be captured."""
    assert not PIECES["aggregator"]["famo"].capturable
    graphed, plain = (make_agent("mtsac", aggregator="famo", **RATES) for _ in range(2))
    updates, other = GraphedUpdates(graphed, replay_of(graphed), ROWS, 1, TapeCapture()), replay_of(plain)
    for _ in range(WARM_UP + 2):
        updates()
        eager(plain, other, 1)
    assert unlike(graphed, plain) != []


@pytest.mark.parametrize(
    ("slot", "names"),
    [
        ("encoder", {"adversarial"}),  # solves equations, by a library that may wait
        ("trunk", set[str]()),
        ("penalty", {"trace-norm"}),  # singular values are computed on the host
        ("critic", set[str]()),
        ("aggregator", {*PIECES["aggregator"]} - {"mean", "sum"}),  # keep averages or weights, or solve equations
        ("sampler", {*PIECES["sampler"]} - {"uniform"}),  # keep what they learn
    ],
)
def test_the_pieces_that_cannot_be_captured(slot: str, names: set[str]) -> None:
    assert {name for name, piece in PIECES[SLOTS[slot]].items() if not piece.capturable} == names


def test_a_graph_is_captured_again_after_a_state_is_loaded(make_agent: MakeAgent) -> None:
    """Loading replaces the optimisers' tensors; the run then continues to the same numbers."""
    graphed, plain = (make_agent("care", **RATES) for _ in range(2))
    filled, other, capture = replay_of(graphed), replay_of(plain), TapeCapture()
    updates = GraphedUpdates(graphed, filled, ROWS, 1, capture)
    for _ in range(6):
        updates()
        eager(plain, other, 1)
    assert unlike(graphed, plain) == []
    state, draws = graphed.training_state(), filled.state_dict()
    updates()  # what is undone by loading
    graphed.load_training_state(state)
    filled.load_state_dict(draws)
    updates.reset()
    for _ in range(6):
        assert same(updates(), eager(plain, other, 1))
    assert unlike(graphed, plain) == []
    assert (capture.recorded, capture.warmed) == (2, 2 * WARM_UP)


def test_schedules_and_checkpoints_see_plain_learning_rates(make_agent: MakeAgent) -> None:
    agent = make_agent("mtsac", **RATES)
    updates = GraphedUpdates(agent, replay_of(agent), ROWS, 1, TapeCapture())
    for _ in range(WARM_UP + 2):
        updates()
        groups = [group for optimizer in agent.optimizers.values() for group in optimizer.param_groups]
        assert [(group["lr"], group["capturable"]) for group in groups] == [(2.0**-8, False)] * 3


def test_metrics_are_not_overwritten_by_the_next_replay(make_agent: MakeAgent) -> None:
    agent = make_agent("mtsac")
    updates = GraphedUpdates(agent, replay_of(agent), ROWS, 1, TapeCapture())
    seen = [updates()["critic_loss"] for _ in range(WARM_UP + 3)]
    assert len({tuple(loss.tolist()) for loss in seen}) == WARM_UP + 3
    assert torch.equal(agent.latest[0], seen[-1])


@pytest.mark.parametrize("wait", [lambda x: x.sum().item(), lambda x: x[x > 0], lambda x: torch.tensor(1.0) + x])
def test_the_stand_in_refuses_what_a_graph_would_refuse(wait: Any) -> None:
    with pytest.raises(CaptureFailed), Tape():
        wait(torch.ones(3))


def test_the_stand_in_keeps_the_numbers_that_python_read() -> None:
    total, size, number = torch.zeros(()), torch.tensor(2.0), 3.0
    with Tape() as tape:
        total.add_(size * number)
    size.fill_(5.0)
    number = 100.0
    tape.replay()
    assert total == 2.0 * 3.0 + 5.0 * 3.0


def test_what_failed_first_is_named_in_one_line() -> None:
    def capture() -> None:
        try:
            raise TypeError("the operation\nand where")
        finally:
            raise RuntimeError("the capture was invalidated")

    with pytest.raises(RuntimeError, match="invalidated") as found:
        capture()
    assert first_cause(found.value) == "the operation"


def test_all_updates_after_a_step_are_captured() -> None:
    assert [updates_in_one(count) for count in (1, 2, 16, 17, 20, 34, 96)] == [
        1,
        2,
        16,
        1,
        10,
        2,
        MAX_UPDATES_PER_GRAPH,
    ]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="a CUDA graph takes a GPU, and torch finds none")
@pytest.mark.parametrize("name", ["care", "mtsac", "single-task"])
def test_a_cuda_graph_takes_the_steps_of_the_agent_itself(make_agent: MakeAgent, name: str) -> None:
    """To a tolerance: libraries may choose other kernels, which add in another order."""
    device, agents, replays = torch.device("cuda"), [], []
    for _ in range(2):
        agent = make_agent(name, device=device, **RATES)
        replay = Replay(TASKS, 64, OBS, ACTIONS, seeded_generator(1, device))
        agents.append(agent)
        replays.append(replay)
    updates = GraphedUpdates(agents[0], replays[0], ROWS, 2)
    for step in range(8):
        for agent, replay in zip(agents, replays, strict=True):
            batch = random_batch(TASKS, 10, OBS, ACTIONS, step).apply(lambda part: part.to(device))
            replay.add(batch.obs, batch.action, batch.reward, batch.terminated, batch.next_obs)
            agent.set_progress(step / 8)
        found, size = updates(), torch.tensor(replays[1].size, device=device)
        expected = [agents[1].update(replays[1].sample(ROWS, size=size)) for _ in range(2)][-1]
        for metric, value in expected.items():
            torch.testing.assert_close(found[metric], value, rtol=1e-3, atol=1e-4)
    for one, other in zip(agents[0].parameters(), agents[1].parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)
