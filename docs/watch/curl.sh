#!/bin/sh
# Watch a job with curl alone; JOBSTREAM_URL and JOBSTREAM_TOKEN say where the service is, and who asks.
auth="Authorization: Bearer $JOBSTREAM_TOKEN" last=
folder=$(mktemp -d) && cd "$folder" && trap 'rm -r "$folder"' EXIT || exit
curl -sSf "$JOBSTREAM_URL/v1/jobs" -H "$auth" -H 'Content-Type: application/json' -o job \
  -d '{"kind": "chat", "input": {"message": "Why is the sky blue?"}}' || exit
stream="$JOBSTREAM_URL/v1/jobs/$(cut -d '"' -f 4 job)/stream"
while curl -sN "$stream" -H "$auth" -H 'Prefer: status' ${last:+-H "Last-Event-ID: $last"} \
  -w '%{stderr}%{http_code}' 2>status | tee heard; do
  case $(cat status) in 204) exit ;; 4*) exit 1 ;; esac
  set -- $(awk '/^id: /{id = $2} /^event: /{event = $2} /^$/ && id {whole = id " " event} END {print whole}' heard)
  [ "$2" = end ] && exit
  last=${1:-$last} && sleep 1
done
