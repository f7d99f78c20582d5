"""The parts of ``check_agent``: what it tries an agent on, its pieces, its sampler, and its properties."""
