"""Find and read finished runs, check that they share a protocol and a budget, and group them by agent."""
