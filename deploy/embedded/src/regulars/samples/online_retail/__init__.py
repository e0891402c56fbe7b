"""Online Retail: a real year of a UK online shop (D. Chen, UCI Machine Learning Repository, CC BY 4.0; see NOTICE)."""

from regulars.samples.online_retail.client import LoadStopped
from regulars.samples.online_retail.load import is_finished, load
from regulars.samples.online_retail.summary import Summary, table

__all__ = ["LoadStopped", "Summary", "is_finished", "load", "table"]
