"""Prompts and recordings as files: where they are kept, how a media node gets at them, conversion."""
