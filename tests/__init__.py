"""The test-suite, a package so that its tables, oracles and helpers can be imported: ``from tests import cases``."""
