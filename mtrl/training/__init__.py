"""One agent learning: the loop, and what is called while it runs."""
