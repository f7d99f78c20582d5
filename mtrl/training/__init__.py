"""One agent learning: the run from configuration to result, the loop, and what is called while it runs."""
