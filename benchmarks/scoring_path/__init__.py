"""What `make bench-scoring` is made of.

`simulating` customers and purchases · `ours`, `lifetimes_peer` and `pymc_marketing_peer` the turns, each in a process
of its own · `metering` what a turn took · `environments` where the peers live · `running` the turns one after the
other · `report` the figures.
"""
