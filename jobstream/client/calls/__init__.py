"""Every request that a client makes, a module for each thing that is asked for."""
