"""What `make bench-chain` is made of.

`cast` who buys, and what they bought before · `running` the shop, either way · `preparing` programme, history, scores,
segment, webhook · `tills` the load and `receiver` the partner, each a process of its own · `chain` one load from the
tills to the partner · `hops` how long each step took · `door` through nginx and past it · `report` the figures.
"""
