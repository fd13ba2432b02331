"""A tree as an ext4 filesystem in a raw sparse file, the same with root and without."""
