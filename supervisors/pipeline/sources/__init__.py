"""Sources of pipelines."""
