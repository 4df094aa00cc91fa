-- Gives a worker up to `slots` jobs that are due, under a lease: nobody else gets them until it ends.
local slots, lease_ms, token = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local LAST_CRASH = 3 -- workers lost in a row with nothing kept in between, then the job is poison

local known = {}
for index = 4, #ARGV do
  known[ARGV[index]] = true
end
local now_ms = now_us() / 1000
local claimed = {}

local POISON = '{"type":"poison","title":"The job kills its workers",'
  .. '"detail":"Three workers in a row died with this job before anything more of it was kept.","retryable":false}'

-- Counts the loss of a worker; true if the job may be tried once more.
local function survives(job)
  if job.state == 'cancelling' then
    finish(job, 'cancelled', '', '')
    return false
  end
  if job.state ~= 'running' then
    return true
  end
  job.crashes = job.crashes + 1
  set(job, 'crashes', job.crashes)
  if job.crashes >= LAST_CRASH then
    finish(job, 'failed', '', POISON)
    return false
  end
  return true
end

local function claim(job, score)
  local held = redis.call(
    'HMGET', key(job.id, 'job'), 'next_is_new_attempt', 'handed_back', 'attempt_us', 'subject', 'max_attempts', 'request_id'
  )
  local reason = job.state == 'running' and 'worker-lost' or held[2] == '1' and 'handed-back' or nil
  local attempt_us = tonumber(held[3])
  if held[1] == '1' then
    job.attempt = job.attempt + 1
    attempt_us = job.now
    set(job, 'attempt', job.attempt)
    set(job, 'attempt_us', int(attempt_us))
  end
  if not job.started_at or job.started_at == '' then
    job.started_at = stamp(job.now)
    set(job, 'started_at', job.started_at)
  end
  set(job, 'next_is_new_attempt', 0)
  set(job, 'handed_back', 0)
  set(job, 'token', token)
  set(job, 'flush', 0)
  set(job, 'score', score)
  redis.call('SET', ARQ_IN_PROGRESS .. job.id, token, 'PX', lease_ms)
  redis.call('ZADD', QUEUE, int(now_ms + lease_ms), job.id)
  change_state(job, 'running', { reason = reason })
  save(job)
  claimed[#claimed + 1] = {
    job.id, job.kind, job.run, job.attempt, int(job.now - attempt_us), held[4] or '', held[5], held[6] or '',
    redis.call('GET', key(job.id, 'input')) or '',
    redis.call('HGETALL', key(job.id, 'kept')),
    redis.call('HGETALL', key(job.id, 'parts')),
    redis.call('HGET', key(job.id, 'job'), 'progress') or '',
  }
end

local due = redis.call('ZRANGEBYSCORE', QUEUE, '-inf', int(now_ms), 'WITHSCORES', 'LIMIT', 0, slots * 2 + 32)
for index = 1, #due, 2 do
  if #claimed >= slots then
    break
  end
  local id, score = due[index], due[index + 1]
  local held_ms = redis.call('PTTL', ARQ_IN_PROGRESS .. id)
  local job = held_ms == -2 and open(id)
  if held_ms ~= -2 then
    redis.call('ZADD', QUEUE, int(now_ms + math.max(held_ms, 1)), id)
  elseif not job or TERMINAL[job.state] then
    redis.call('ZREM', QUEUE, id)
  elseif not known[job.kind] then
    -- A worker of another version knows it; it steps aside so that it does not hide the jobs behind it.
    redis.call('ZADD', QUEUE, int(now_ms + 5000), id)
  elseif survives(job) then
    -- A lost job's score is the end of its lease: its real place is in the record.
    if job.state == 'running' then
      score = redis.call('HGET', key(id, 'job'), 'score')
    end
    claim(job, score)
  end
end

local coming = redis.call('ZRANGEBYSCORE', QUEUE, '(' .. int(now_ms), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
local wait_ms = coming[2] and math.max(0, math.ceil(tonumber(coming[2]) - now_ms)) or -1
return { wait_ms, claimed }
