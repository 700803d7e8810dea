"""giqa in the libraries that users already work with: one module a library, which is imported only with it."""
