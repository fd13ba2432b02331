"""Programs in terminals, driven and looked at from outside: for pictures, measurements and tests."""
