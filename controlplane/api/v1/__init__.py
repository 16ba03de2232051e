"""Version 1 of the API: paths and shapes of Teler's where it has the thing, ours where it has not."""
