"""Programs in terminals, driven from outside: for pictures, measurements and tests."""
