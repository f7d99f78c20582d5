"""Images: heat maps, learning curves, and names short enough for their labels."""
