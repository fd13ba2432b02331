"""Ways to talk to what runs in a guest: its console, its shells, its commands."""
