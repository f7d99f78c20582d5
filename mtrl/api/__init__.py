"""What Python code calls, beside the commands: ``mtrl.load``, ``mtrl.score``, ``mtrl.learn``."""
