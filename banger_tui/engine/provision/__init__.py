"""Images made by booting one and changing it from inside."""
