"""The servers that ours is measured beside: each answers `GET /sub?id=CHANNEL` with what is published there."""
