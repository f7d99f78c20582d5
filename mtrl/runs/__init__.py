"""A run's folder: what it holds, where its suite came from, and how it is opened without importing what it names."""
