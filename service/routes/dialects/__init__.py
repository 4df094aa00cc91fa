"""The routes of other clients' formats: each reads its dialect's requests, and does what the native ones do."""
