"""How guests are reached and reach out."""
