"""Configuration is a function: what is known goes in, files come out, the same bytes each time. Pure."""
