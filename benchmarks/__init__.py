"""How fast it is, beside raw Trio, plain asyncio and Elixir: ``make bench``."""
