"""A run's policy as a file of another format."""
