"""What can be seen of a living node, as plain values."""
