"""Many runs: what is to be run, the processes that run it, and how far they are."""
