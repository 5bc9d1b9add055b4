"""A link checker as a supervised service: ``python -m examples.sitecheck --help``."""
