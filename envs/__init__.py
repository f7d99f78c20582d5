"""Tasks, task suites and the engines that step them. Imports neither torch nor ``agents`` nor ``mtrl``."""
