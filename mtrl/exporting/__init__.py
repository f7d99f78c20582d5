"""A run's policy as a file that acts without the kit."""
