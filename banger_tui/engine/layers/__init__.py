"""Layers of an image, merged in memory; nothing of them is written before it is known to be
safe."""
