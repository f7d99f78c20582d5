"""Tasks, suites of tasks, and what steps them; without torch, and without anything of ``agents`` or ``mtrl``."""
