"""Sweeps: a grid becomes a plan, a plan becomes one compiled program."""
