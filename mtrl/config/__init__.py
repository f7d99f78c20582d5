"""What a run is told: its configuration, the defaults, and the command line of a training."""

from mtrl.config.train_config import TrainConfig, agent_spec

__all__ = ["TrainConfig", "agent_spec"]
