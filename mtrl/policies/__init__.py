"""The policy of a finished run, out of its folder: for its own tasks, for new ones, without an encoder."""
