"""Many runs: the plan, the processes that run it, and their progress."""
