"""Which agents and pieces there are, by name, and what their settings are; free of torch."""
