"""Pipelines: messages from sources, handled, batched and acknowledged. Elixir: Broadway."""
