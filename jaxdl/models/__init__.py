"""Flax Linen modules and initialisers: pure init and apply."""
