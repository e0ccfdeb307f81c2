"""Data sets, splits and batch sampling."""
