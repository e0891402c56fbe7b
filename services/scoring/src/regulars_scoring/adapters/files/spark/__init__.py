"""The same work on Spark: splits of a file are read by DuckDB where the tasks run; what follows is Spark's."""
