"""A search index over Python code, made by a pipeline: ``python -m examples.codesearch --help``."""
