"""`regulars reconcile`: what loyalty's facts say of each customer, held against what every other service knows of it.

It reads the services' databases from beside them, as nothing else does, and changes nothing in them.
"""
