"""Paths recorded from the real frameworks, and the script that records them."""
