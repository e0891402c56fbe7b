"""What `make bench-nightly` is made of.

`filling` a million customers into scoring's database · `processes` what the shop's processes take · `night` one run,
with the tills at work · `report` the figures. The shop and the tills are those of `chain_path`.
"""
