"""A run written down as it goes: which numbers under which tags, TensorBoard, CSV, and a file for each tracker."""
