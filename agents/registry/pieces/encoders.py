"""The encoders that come with the kit."""

from __future__ import annotations

from agents.registry.settings import ContextNetworkSettings
from agents.registry.sharing_settings import (
    AdversarialSettings,
    BayesianSettings,
    CARESettings,
    FiLMSettings,
    HyperSettings,
)
from agents.registry.spec import Spec

ENCODERS: tuple[Spec, ...] = (
    Spec(
        "encoder",
        "none",
        "the observation as it is",
        "agents.encoders.plain:none",
        capturable=True,
    ),
    Spec(
        "encoder",
        "one-hot",
        "the observation and the task as one-hot (Yu et al. 2019)",
        "agents.encoders.plain:one_hot",
        capturable=True,
    ),
    Spec(
        "encoder",
        "context",
        "the observation and the task's context, without a mixture: CARE's control",
        "agents.encoders.concatenated:concatenated",
        ContextNetworkSettings,
        reads_context=True,
        shares=True,
        capturable=True,
    ),
    Spec(
        "encoder",
        "care",
        "a mixture of encoders, weighted by attention that reads the task's context (Sodhani et al. 2021)",
        "agents.encoders.care:care",
        CARESettings,
        reads_context=True,
        shares=True,
        capturable=True,
    ),
    Spec(
        "encoder",
        "film",
        "one encoder whose features the task's context scales and shifts (Perez et al. 2018)",
        "agents.encoders.film:film",
        FiLMSettings,
        reads_context=True,
        shares=True,
        capturable=True,
    ),
    Spec(
        "encoder",
        "bayesian",
        "the observation and a code of the task with learned mean and variance",
        "agents.encoders.bayesian:bayesian",
        BayesianSettings,
        capturable=True,
    ),
    Spec(
        "encoder",
        "hyper",
        "a layer whose weights the task's context generates, and a shared layer (Ha et al. 2017)",
        "agents.encoders.hyper:hyper",
        HyperSettings,
        reads_context=True,
        shares=True,
        capturable=True,
    ),
    Spec(
        "encoder",
        "adversarial",
        "features from which an adversary cannot predict the task, and its one-hot (Ganin et al. 2016)",
        "agents.encoders.adversarial:adversarial",
        AdversarialSettings,
        shares=True,
    ),
)
