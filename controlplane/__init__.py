"""Callplane's control plane. The map of the packages is `ARCHITECTURE.md` beside this file."""
