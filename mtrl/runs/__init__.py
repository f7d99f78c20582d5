"""A run's folder: its files, the origin of its suite, and how it is opened without importing code that it names."""
