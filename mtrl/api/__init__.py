"""The Python API beside the commands: ``mtrl.load``, ``mtrl.score``, ``mtrl.learn``."""
