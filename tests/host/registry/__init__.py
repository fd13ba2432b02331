"""A real registry on loopback, images for it, and a proxy that misbehaves in front of it."""
