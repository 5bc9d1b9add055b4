"""Supervised pipelines from a source to its acknowledgements. Broadway."""
