"""Sweeps: a grid becomes structures, each of them a plan, and a plan one compiled program."""
