"""Builds a process from settings; the only chooser."""
