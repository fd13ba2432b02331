"""One widget a file: data in, messages out. Widgets never see the engine itself."""
