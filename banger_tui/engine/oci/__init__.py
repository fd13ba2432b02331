"""Container images and other files from registries and web servers."""
