"""Real filesystems of the layer cases: made in every way, by root and by others, and read back."""
