"""Still pictures: heat maps, learning curves, and names short enough to stand beside them."""
