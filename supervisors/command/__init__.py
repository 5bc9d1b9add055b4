"""The command ``otp``: a terminal onto living services, by the sockets of their consoles."""
