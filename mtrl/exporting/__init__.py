"""Export a run's policy to a file that can be used without the kit."""
