"""The distributed run on one machine: every service as processes of its own, on real PostgreSQL, Kafka and nginx."""
