"""What a node tells of itself, and an exporter of it."""
