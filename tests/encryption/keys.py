"""Keys for tests, and the sealer that a whole run of tests may be given."""

import os

from jobs.encryption import Sealer, sealer_of

FIRST = "1f" * 32
SECOND = "Mu-JrVvxMzX0mU3sOqM1lJtYp2Kp5gq0Q2yqJ9xqk7A"

ENCRYPTED = os.environ.get("JOBSTREAM_TEST_ENCRYPTED") == "1"
"""Whether the tests that share a service run it with encryption on."""

SEALER: Sealer = sealer_of(FIRST if ENCRYPTED else None)
