"""What the tests of imports ask for besides what all may ask for."""

from tests.engine.conftest import engine

__all__ = ["engine"]
