"""How long a submitted job waits: until a worker has it, and until its reader knows."""
