#!/bin/sh
# Watch a job in ten lines; JOBSTREAM_URL and JOBSTREAM_TOKEN say where the service is, and who asks.
auth="Authorization: Bearer $JOBSTREAM_TOKEN"
log=$(mktemp)
job=$(curl -sf "$JOBSTREAM_URL/v1/jobs" -H "$auth" -H 'Content-Type: application/json' \
  -d '{"kind": "chat", "input": {"message": "Why is the sky blue?"}}' | cut -d '"' -f 4)
until grep -q '^event: end' "$log"; do
  last=$(sed -n 's/^id: //p' "$log" | tail -n 1)
  curl -sN "$JOBSTREAM_URL/v1/jobs/$job/stream" -H "$auth" ${last:+-H "Last-Event-ID: $last"} | tee -a "$log" || sleep 1
done
rm "$log"
