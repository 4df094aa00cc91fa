"""The engines that are measured: one program each, run in an environment of its own."""
