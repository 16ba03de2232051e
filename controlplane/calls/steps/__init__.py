"""One generator a verb: it yields commands and is sent events. Pure."""
