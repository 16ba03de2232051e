"""Links to a media node, and the translation between ESL and the machine's events and commands."""
