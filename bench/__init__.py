"""What the product can do, measured beside what others do."""
