"""`regulars score`: a file of purchases in, a file of scores out, without any service."""
