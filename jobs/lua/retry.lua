-- Starts the next run of an ended job in the same log, arq's entry included.
-- What clients have after the end becomes what is stored: the caller folded it, as of `us` and `seq`.
local entry, entry_ms = table.remove(ARGV), table.remove(ARGV) -- as arq would write it
local id, us, seq, from, only = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
local most_active, most_waiting, parts = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local PART_FIELDS = 5 -- name, value, head, body of its update (none if it only ended), steps to forget

local job = open(id)
if not job or not TERMINAL[job.state] or int(job.us) ~= us or job.seq ~= seq then
  return 'CHANGED'
end
local refusal = no_room(job.kind, job.subject, most_active, most_waiting)
if refusal then
  return refusal
end
redis.call('SET', ARQ_JOB .. id, entry, 'PX', entry_ms)
for _, name in ipairs(every_key(job)) do
  redis.call('PEXPIRE', name, LIFETIME_MS)
end
redis.call('HDEL', key(id, 'job'), 'end_body', 'end_us', 'end_total', 'us_before', 'state_before', 'error_type')
redis.call('ZREM', DEAD_LETTERS, id)
redis.call('ZREM', TRIMS, id)
job.run = job.run + 1
job.attempt = 0
job.started_at = ''
for _, field in ipairs({ 'started_at', 'progress', 'came_back' }) do
  set(job, field, '')
end
set(job, 'run', job.run)
set(job, 'attempt', 0)
set(job, 'crashes', 0)
set(job, 'next_is_new_attempt', 1)
set(job, 'only', only)
if from == 'start' then
  for _, part in ipairs(split(job.part_names)) do
    redis.call('DEL', key(id, 'text:' .. part))
  end
  for _, what in ipairs({ 'parts', 'steps', 'kept', 'texts', 'rejects' }) do
    redis.call('DEL', key(id, what))
  end
  set(job, 'part_names', '')
  set(job, 'step_names', '')
end
change_state(job, 'queued', { from = from })

for index = 0, parts - 1 do
  local name, value, head, body, steps = unpack(ARGV, 9 + index * PART_FIELDS, 8 + (index + 1) * PART_FIELDS)
  redis.call('HSET', key(id, 'parts'), name, value)
  redis.call('HSET', key(id, 'texts'), name .. ':head', head)
  if body ~= '' then
    redis.call('DEL', key(id, 'text:' .. name))
    redis.call('HSET', key(id, 'texts'), name .. ':bytes', 0)
    for _, step in ipairs(split(steps)) do
      redis.call('HDEL', key(id, 'kept'), step)
    end
    add(job, 'part', body)
  end
end
for index = 9 + parts * PART_FIELDS, #ARGV, 2 do
  redis.call('HSET', key(id, 'steps'), ARGV[index], ARGV[index + 1])
end
save(job)
for _, name in ipairs(every_key(job)) do
  redis.call('PEXPIRE', name, LIFETIME_MS)
end
redis.call('SADD', ACTIVE .. job.subject, id)
redis.call('PEXPIRE', ACTIVE .. job.subject, LIFETIME_MS)
enqueue(job)
return 'QUEUED'
