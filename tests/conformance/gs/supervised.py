"""Rows of GS about ConsumerSupervisor."""
