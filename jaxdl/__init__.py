"""jaxdl: an optimizer laboratory in JAX."""
