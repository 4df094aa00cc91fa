"""What a test measured: said at the end of the run, asserted nowhere."""

from collections.abc import Callable

Say = Callable[[str], None]
