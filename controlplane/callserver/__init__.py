"""The process that drives calls."""
