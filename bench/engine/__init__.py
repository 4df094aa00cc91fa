"""How fast the engine is: jobs a second, submit to start, the price of a step, beside its peers on one store."""
