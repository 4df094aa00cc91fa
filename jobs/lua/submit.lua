-- Writes a job's record, its first update, arq's entry and its place in the queue: a job is there whole or not at all.
local entry, entry_ms = table.remove(ARGV), table.remove(ARGV) -- as arq would write it
local id, input, idempotency, input_digest, subject, parent = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local head_start_ms, delay_ms, run_at_us = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local most_active, most_waiting = tonumber(ARGV[10]), tonumber(ARGV[11]) -- 0 is no limit
local image = ARGV[12]
local kind = ARGV[14] -- the first of the fields of its record
local FAIRNESS_MS = 60 * 1000 -- how far the many jobs of one subject fall behind the few of another
local EACH_MS = 1000

if parent ~= '' then
  local state = redis.call('HGET', key(parent, 'job'), 'state')
  if not state or state == 'cancelling' or TERMINAL[state] then
    return 'PARENT_ENDED' -- nobody would wait for it, and who cancelled the parent did not see it
  end
end
local refusal = no_room(kind, subject, most_active, most_waiting)
if refusal then
  return refusal
end
redis.call('SET', ARQ_JOB .. id, entry, 'PX', entry_ms)
local now = now_us()
local due_us = math.max(now, run_at_us, now + delay_ms * 1000)
local later = due_us > now
local job = {
  id = id, now = now, changes = {}, run = 1, seq = 0, us = 0, bytes = 0, front_bytes = 0, attempt = 0, counted = '',
}
for index = 13, #ARGV, 2 do
  set(job, ARGV[index], ARGV[index + 1])
  job[ARGV[index]] = ARGV[index + 1]
end
set(job, 'id', id)
set(job, 'run', 1)
set(job, 'attempt', 0)
set(job, 'next_is_new_attempt', 1)
set(job, 'created_us', int(now))
set(job, 'run_at', later and stamp(due_us) or '')
set(job, 'idempotency', idempotency)
set(job, 'subject', subject)
set(job, 'parent', parent)
change_state(job, later and 'scheduled' or 'queued', {})

local kept_ms = int(LIFETIME_MS + (due_us - now) / 1000)
local function remember(name, add, ...)
  redis.call(add, name, ...)
  redis.call('PEXPIRE', name, kept_ms, 'NX')
  redis.call('PEXPIRE', name, kept_ms, 'GT')
end
local behind_ms = 0
if subject ~= '' then
  behind_ms = math.min(FAIRNESS_MS, redis.call('SCARD', ACTIVE .. subject) * EACH_MS)
  remember(SUBJECTS .. subject, 'ZADD', int(now / 1000), id)
end
remember(ACTIVE .. subject, 'SADD', id)
remember(JOBS, 'ZADD', int(now / 1000), id)
if parent ~= '' then
  remember(key(parent, 'children'), 'SADD', id)
end
local ahead_ms = FAIRNESS_MS + head_start_ms - behind_ms
local score = due_us / 1000 - ahead_ms
set(job, 'ahead_ms', int(ahead_ms))
set(job, 'score', int(score))
save(job)
redis.call('SET', key(id, 'input'), input, 'PX', kept_ms)
if image ~= '' then
  redis.call('SET', key(id, 'image'), image, 'PX', kept_ms)
end
redis.call('PEXPIRE', key(id, 'job'), kept_ms)
redis.call('PEXPIRE', key(id, 'log'), kept_ms)
if idempotency ~= '' then
  redis.call('SET', idempotency, id .. ' ' .. input_digest, 'PX', kept_ms)
end
if later then
  remember(SCHEDULED, 'ZADD', int(due_us / 1000), id) -- takes its place in the queue when it falls due
else
  redis.call('ZADD', QUEUE, int(score), id)
end
ring_bell()
