"""Measurements against peers: `python -m bench`. The method is in README.md."""
