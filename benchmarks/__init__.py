"""Measurements of speed: measure, store, then make tables of what is stored."""
