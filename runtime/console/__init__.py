"""A way into a living service: what is asked and answered over its socket, and who answers."""
