"""What `make bench-purchase` is made of.

`shop` the customers and the purchase that everybody records · `house` one PostgreSQL with a database for each ·
`ours`, `pgbench_peer`, `orm_peer`, `empty_peer` the contenders · `load` the tills (wrk) · `measuring` who is measured
in which order, `machine` on what · `report` which figures are set beside each other, and how they are printed.
"""
