"""The log of a run: its numbers and their tags, TensorBoard, CSV, and one module per experiment tracker."""
