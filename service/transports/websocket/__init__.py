"""WebSocket (`jobs.v1`): the updates of one job, or of many that change as it goes, as JSON messages."""
