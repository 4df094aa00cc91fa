"""Bad requests, made by hand and kept as data: what a schema does not lead to, and a hostile client does."""
