"""Tests of jaxdl/transforms, one file per rule."""
