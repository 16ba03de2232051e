"""Tenants' REST interface."""
