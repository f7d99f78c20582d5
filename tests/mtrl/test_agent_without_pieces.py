"""An agent of the user's own, made of no pieces, is checked, trained, resumed and evaluated, torch module or not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mtrl import check, evaluate, train
from tests.mtrl.conftest import Said, read_json, same_weights, tiny

AGENTS = """
    import torch
    from mtrl import AgentSpec

    class Plain:
        def __init__(self, sizes, settings, seed, device):
            generator = torch.Generator(device).manual_seed(seed)
            tasks, actions = sizes.action_mask.shape
            self.weight = torch.randn(tasks, sizes.obs, actions, generator=generator, device=device)
            self.mask = sizes.action_mask[:, None].float()
            self.generator = generator

        def act(self, obs, task=None, *, explore):
            weight, mask = (self.weight, self.mask) if task is None else (self.weight[task], self.mask[task])
            action = obs @ weight
            if explore:
                action = action + torch.randn(action.shape, generator=self.generator)
            return torch.tanh(action) * mask

        def observe(self, obs, reward, ended):
            pass

        def update(self, batch):
            self.weight = 0.99 * self.weight
            return {"loss/critic": self.weight.mean()}

        def set_progress(self, fraction):
            pass

        def inspect(self, obs):
            return {}

        def state_dict(self):
            return {"weight": self.weight}

        def load_state_dict(self, state):
            self.weight = state["weight"]

        def training_state(self):
            return {"weight": self.weight, "generator": self.generator.get_state()}

        def load_training_state(self, state):
            self.weight = state["weight"]
            self.generator.set_state(state["generator"])

    class Module(torch.nn.Module):
        def __init__(self, sizes, settings, seed, device):
            super().__init__()
            tasks, actions = sizes.action_mask.shape
            generator = torch.Generator().manual_seed(seed)
            self.weight = torch.nn.Parameter(torch.randn(tasks, sizes.obs, actions, generator=generator))
            self.register_buffer("mask", sizes.action_mask[:, None].float())
            self.to(device)

        @torch.no_grad()
        def act(self, obs, task=None, *, explore):
            weight, mask = (self.weight, self.mask) if task is None else (self.weight[task], self.mask[task])
            return torch.tanh(obs @ weight) * mask

        observe, set_progress, inspect = Plain.observe, Plain.set_progress, Plain.inspect

        @torch.no_grad()
        def update(self, batch):
            self.weight.mul_(0.99)
            return {"loss/critic": self.weight.mean()}

        def training_state(self):
            return self.state_dict()

        def load_training_state(self, state):
            self.load_state_dict(state)

    class Unstorable(Plain):
        def training_state(self):
            return {"weight": self.weight, "generator": self.generator}

    class Misshapen(Plain):
        def inspect(self, obs):
            return {"attention": torch.ones(5)}

    plain = AgentSpec("agent", "plain", "no torch module", Plain)
    module = AgentSpec("agent", "module", "a torch module", Module)
    unstorable = AgentSpec("agent", "unstorable", "a generator in its state", Unstorable)
    misshapen = AgentSpec("agent", "misshapen", "shows something of the wrong shape", Misshapen)
"""


def small(runs: Path, agent: str, *more: str) -> list[str]:
    """The arguments of a small run of an agent that has no networks of given widths."""
    given = tiny(runs, "--agent", agent, "--baseline", "none", *more)
    where = given.index("--hidden")
    return given[:where] + given[where + 2 :]


@pytest.mark.parametrize(("name", "parameters"), [("plain", 0), ("module", 90)])
def test_an_agent_without_pieces_and_without_diagnoses_goes_through_every_command(
    plug_in: Callable[..., str], call: Callable[..., Said], tmp_path: Path, name: str, parameters: int
) -> None:
    agent = f"{plug_in(AGENTS, 'my_agents')}:{name}"
    said = call(check.main, "--agent", agent)
    assert "no problems found" in said.out
    runs = tmp_path / "runs"
    assert train.main(small(runs, agent, "--keep-checkpoint")) == 0
    path = runs / "tabletop" / f"my_agents_{name}" / "seed0"
    assert read_json(path / "result.json")["parameters"] == parameters
    assert train.main(small(tmp_path / "again", agent)) == 0
    assert same_weights(path, tmp_path / "again" / "tabletop" / f"my_agents_{name}" / "seed0")
    assert evaluate.main([str(path), "--episodes", "1", "--trust"]) == 0


def test_diagnoses_of_an_agent_that_has_none_are_refused(
    plug_in: Callable[..., str], refused: Callable[..., str], tmp_path: Path
) -> None:
    agent = f"{plug_in(AGENTS, 'my_agents')}:plain"
    line = refused(train.main, *small(tmp_path / "runs", agent, "--diagnose-every", "32"))
    assert "has no method diagnose; leave out --diagnose-every" in line
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("unstorable", "training_state returned a Generator under ['generator'], which a checkpoint cannot hold"),
        ("misshapen", "inspect returns 'attention' of shape (5,); return finite numbers (T, K), here T = 3"),
    ],
)
def test_the_check_finds_what_would_end_a_run(
    plug_in: Callable[..., str], call: Callable[..., Said], name: str, problem: str
) -> None:
    said = call(check.main, "--agent", f"{plug_in(AGENTS, 'my_agents')}:{name}")
    assert said.code == 2
    assert problem in " ".join(said.out.split())


def test_a_run_that_fails_as_it_is_saved_keeps_its_weights(plug_in: Callable[..., str], tmp_path: Path) -> None:
    agent = f"{plug_in(AGENTS, 'my_agents')}:unstorable"
    runs = tmp_path / "runs"
    with pytest.raises(TypeError, match="is a Generator, which a checkpoint cannot hold"):
        train.main(small(runs, agent, "--keep-checkpoint"))
    assert (runs / "tabletop" / "my_agents_unstorable" / "seed0" / "weights.safetensors").exists()
