"""A stand-in for the three providers: their wire formats over HTTP, for the demo and the tests."""
