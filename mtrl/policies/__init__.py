"""Load the policy of a finished run: for its own tasks, for held-out ones, or without an encoder."""
