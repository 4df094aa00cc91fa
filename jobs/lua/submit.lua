-- Writes a job's record, its first update and its place in the queue. Runs inside the transaction in which
-- arq writes its own entry, so a job is there whole or not at all.
local id, input, idempotency, input_digest = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local head_start_ms, delay_ms, run_at_us = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local lifetime_ms = tonumber(ARGV[8])

local now = now_us()
local due_us = math.max(now, run_at_us, now + delay_ms * 1000)
local later = due_us > now
local job = {
  id = id, now = now, changes = {}, run = 1, seq = 0, us = 0, bytes = 0, front_bytes = 0, attempt = 0,
}
for index = 9, #ARGV, 2 do
  set(job, ARGV[index], ARGV[index + 1])
end
set(job, 'id', id)
set(job, 'run', 1)
set(job, 'attempt', 0)
set(job, 'next_is_new_attempt', 1)
set(job, 'created_us', int(now))
set(job, 'run_at', later and stamp(due_us) or '')
set(job, 'idempotency', idempotency)
change_state(job, later and 'scheduled' or 'queued', {})
save(job)
local kept_ms = int(lifetime_ms + (due_us - now) / 1000)
redis.call('SET', key(id, 'input'), input, 'PX', kept_ms)
redis.call('PEXPIRE', key(id, 'job'), kept_ms)
redis.call('PEXPIRE', key(id, 'log'), kept_ms)
if idempotency ~= '' then
  redis.call('SET', idempotency, id .. ' ' .. input_digest, 'PX', kept_ms)
end
redis.call('ZADD', QUEUE, int(later and due_us / 1000 or now / 1000 - head_start_ms), id)
ring_bell()
