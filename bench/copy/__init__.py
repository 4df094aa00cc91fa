"""How fast records get from Parquet into a table: ours beside what a user would write, and beside the ceiling."""
