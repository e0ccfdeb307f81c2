"""Experiments: the folder that tells stories is tested as the package is."""
