"""Peers that are programs of their own."""
