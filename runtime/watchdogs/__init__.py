"""What notices that a node is not well, and says so: a stuck loop, a backlog, restarts."""
