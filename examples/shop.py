# shop.py - the tree as a service: until SIGTERM or ctrl-C, orderly shutdown, exit status,
# attachable
from counter import children

from supervisors import run

run(children, name="shop", console=True)
