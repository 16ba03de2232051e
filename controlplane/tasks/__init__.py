"""Background work: a task runs one service."""
