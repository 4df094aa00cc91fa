-- Gives a worker up to `slots` jobs that are due, under a lease: nobody else gets them until it ends.
local slots, lease_ms, token = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local LIFE_LEFT_MS = LIFETIME_MS - 3600 * 1000 -- a job with less gets its whole life again
local MOST_PASSED = 1000
local LAST_CRASH = 3 -- workers lost in a row with nothing kept in between, then the job is poison

local paused = {} -- kinds of which no job starts; '' for one whose jobs are being put back
local pauses = redis.call('HGETALL', PAUSED)
for index = 1, #pauses, 2 do
  paused[pauses[index]] = pauses[index + 1]
end
local known = {} -- how many jobs of a kind may run at once, in all and for one subject; 0 is no limit
for index = 4, #ARGV, 3 do
  known[ARGV[index]] = { tonumber(ARGV[index + 1]), tonumber(ARGV[index + 2]) }
end
local now_ms = math.floor(now_us() / 1000) -- rounded up, a job would start before its time
local claimed = {}

-- Whether the job was held by the worker that asks now: it lost the lease, and lives. Tokens are `<worker>-<number>`.
local function held_by_the_same(job)
  local worker = string.match(job.token, '^(.+)%-%d+$')
  return worker ~= nil and worker == string.match(token, '^(.+)%-%d+$')
end

-- Counts the loss of a worker; true if the job may be tried once more.
local function survives(job)
  if job.state == 'cancelling' then
    finish(job, 'cancelled', '', '')
    return false
  end
  if job.state ~= 'running' then
    return true
  end
  close_attempt(job, 'worker-lost')
  if held_by_the_same(job) then
    return true
  end
  job.crashes = job.crashes + 1
  set(job, 'crashes', job.crashes)
  remember_failure(job, 'worker-lost', '')
  if job.crashes >= LAST_CRASH then
    finish(job, 'failed', '', POISON, 'poison')
    return false
  end
  return true
end

-- How many slots each scope of the job has; 0 is no limit.
local function limits(job)
  return { known[job.kind][1], known[job.kind][2], job.crashes == LAST_CRASH - 1 and 1 or 0 }
end

-- Which of its scopes is the first of which the job would need a slot that is not free, or nil.
local function full_scope(job)
  local limits_of_job = limits(job)
  for index, scope in ipairs(scopes(job)) do
    local limit = limits_of_job[index]
    if limit > 0 then
      redis.call('ZREMRANGEBYSCORE', SLOTS .. scope, '-inf', int(now_ms))
      if redis.call('ZCARD', SLOTS .. scope) >= limit and not redis.call('ZSCORE', SLOTS .. scope, job.id) then
        return index
      end
    end
  end
end

local function take_slots(job)
  local limits_of_job = limits(job)
  for index, scope in ipairs(scopes(job)) do
    if limits_of_job[index] > 0 then
      set(job, 'slotted', 1)
      redis.call('ZADD', SLOTS .. scope, int(now_ms + lease_ms), job.id)
      redis.call('PEXPIRE', SLOTS .. scope, LIFETIME_MS)
    end
  end
end

-- Notes that the job is not with the worker any more that is said to run it.
local function come_back(job)
  if job.state == 'running' then
    keep_time_spent(job)
    set(job, 'came_back', 'worker-lost')
    change_state(job, 'queued', { reason = 'worker-lost' })
    save(job)
  end
end

-- Takes the job of a paused kind out of the queue, where it would hide others; its place is kept. The slot of all
-- kinds, for which it may have been woken, goes to another.
local function hold(job, score)
  come_back(job)
  if limits(job)[3] > 0 then
    unpark(SUSPECT)
  end
  redis.call('ZREM', QUEUE, job.id)
  redis.call('ZADD', HELD .. job.kind, score, job.id)
  redis.call('PEXPIRE', HELD .. job.kind, LIFETIME_MS)
end

-- Takes the job out of the queue until one that holds a slot of its scope gives it back. A slot of the scopes before,
-- for which it may have been woken, goes to another.
local function park(job, full, score)
  local all = scopes(job)
  local scope = all[full]
  for index = 1, full - 1 do
    unpark(all[index])
  end
  come_back(job)
  redis.call('HSET', key(job.id, 'job'), 'slotted', 1)
  redis.call('ZREM', QUEUE, job.id)
  redis.call('ZADD', PARKED .. scope, score, job.id)
  redis.call('PEXPIRE', PARKED .. scope, LIFETIME_MS)
  redis.call('SADD', PARKED, scope)
  redis.call('PEXPIRE', PARKED, LIFETIME_MS)
end

local function claim(job, score)
  local held = redis.call(
    'HMGET', key(job.id, 'job'), 'next_is_new_attempt', 'came_back', 'attempt_us', 'only', 'max_attempts', 'request_id', 'depth',
    'spent_us', 'progress', 'ahead_ms', 'trace'
  )
  local reason = job.state == 'running' and 'worker-lost' or held[2] and held[2] ~= '' and held[2] or nil
  local attempt_us = tonumber(held[3]) or job.now
  if held[1] == '1' then
    job.attempt = job.attempt + 1
    attempt_us = job.now
    set(job, 'attempt', job.attempt)
  elseif held[8] and held[8] ~= '' then
    attempt_us = job.now - tonumber(held[8])
  end
  set(job, 'attempt_us', int(attempt_us))
  set(job, 'spent_us', '')
  if job.started_at == '' then
    job.started_at = stamp(job.now)
    set(job, 'started_at', job.started_at)
  end
  set(job, 'next_is_new_attempt', 0)
  set(job, 'came_back', '')
  set(job, 'token', token)
  set(job, 'flush', 0)
  set(job, 'score', score)
  set(job, 'claimed_at', stamp(job.now))
  redis.call('SET', ARQ_IN_PROGRESS .. job.id, token, 'PX', lease_ms)
  redis.call('ZREM', QUEUE, job.id)
  redis.call('ZADD', LEASED, int(now_ms + lease_ms), job.id)
  take_slots(job)
  change_state(job, 'running', { reason = reason })
  save(job)
  if redis.call('PTTL', key(job.id, 'job')) < LIFE_LEFT_MS then
    for _, name in ipairs(every_key(job)) do
      redis.call('PEXPIRE', name, LIFETIME_MS)
    end
  end
  claimed[#claimed + 1] = {
    job.id, job.kind, job.run, job.attempt, int(job.now - attempt_us), job.subject, held[5] or '1', held[6] or '',
    int(job.now), held[4] or '', held[7] or '0', reason and '' or int(now_ms - score - (held[10] or 0)), held[11] or '',
    redis.call('GET', key(job.id, 'input')) or '',
    job.step_names ~= '' and redis.call('HGETALL', key(job.id, 'kept')) or {},
    job.part_names ~= '' and redis.call('HGETALL', key(job.id, 'parts')) or {},
    held[9] or '',
  }
end

local most = slots * 2 + 32
local function give_place(set, id)
  redis.call('ZREM', set, id)
  local score = redis.call('HGET', key(id, 'job'), 'score')
  if score then
    redis.call('ZADD', QUEUE, score, id)
  end
end

-- What falls due gets its place in the queue only now, with the head start of its priority.
for _, id in ipairs(redis.call('ZRANGEBYSCORE', SCHEDULED, '-inf', int(now_ms), 'LIMIT', 0, most)) do
  give_place(SCHEDULED, id)
end
-- What a worker has lost gets back the place that it had: its lease's end would be behind all that wait.
for _, id in ipairs(redis.call('ZRANGEBYSCORE', LEASED, '-inf', int(now_ms), 'LIMIT', 0, most)) do
  local held_ms = redis.call('PTTL', ARQ_IN_PROGRESS .. id)
  if held_ms > 0 then
    redis.call('ZADD', LEASED, int(now_ms + held_ms), id)
  else
    give_place(LEASED, id)
  end
end

-- What was held back while its kind was paused gets back the place that it had, those first that are first.
local more_held = false
for kind, since in pairs(paused) do
  if since == '' then
    local back = redis.call('ZRANGE', HELD .. kind, 0, most - 1, 'WITHSCORES')
    for index = 1, #back, 2 do
      redis.call('ZREM', HELD .. kind, back[index])
      redis.call('ZADD', QUEUE, back[index + 1], back[index])
    end
    if redis.call('EXISTS', HELD .. kind) == 1 then
      more_held = true
    else
      redis.call('HDEL', PAUSED, kind)
    end
  end
end

local passed = 0 -- jobs that only a worker of another version knows: they keep their place, and hide nobody
local function consider(id, score)
  local held_ms = redis.call('PTTL', ARQ_IN_PROGRESS .. id)
  local job = held_ms == -2 and open(id)
  if held_ms ~= -2 then
    redis.call('ZREM', QUEUE, id)
    redis.call('ZADD', LEASED, int(now_ms + math.max(held_ms, 1)), id)
  elseif not job or TERMINAL[job.state] then
    redis.call('ZREM', QUEUE, id)
  elseif not known[job.kind] and passed < MOST_PASSED then
    passed = passed + 1
  elseif not known[job.kind] then
    redis.call('ZADD', QUEUE, int(now_ms + 5000), id)
  elseif survives(job) then
    if job.state == 'running' then
      score = redis.call('HGET', key(id, 'job'), 'score') -- an older version kept the lease's end in the queue
    end
    local full = full_scope(job)
    if (paused[job.kind] or '') ~= '' then
      hold(job, score)
    elseif full then
      park(job, full, score)
    else
      claim(job, score)
    end
  end
end

local due, passed_before
repeat
  passed_before = passed
  due = redis.call('ZRANGEBYSCORE', QUEUE, '-inf', int(now_ms), 'WITHSCORES', 'LIMIT', passed, most)
  for index = 1, #due, 2 do
    if #claimed < slots then
      consider(due[index], due[index + 1])
    end
  end
until #claimed == slots or passed == passed_before

local function next_ms(set)
  local coming = redis.call('ZRANGEBYSCORE', set, '(' .. int(now_ms), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  return coming[2] and math.max(0, math.ceil(tonumber(coming[2]) - now_ms)) or math.huge
end

local wait_ms = math.min(next_ms(QUEUE), next_ms(SCHEDULED), next_ms(LEASED))
if #claimed < slots and (more_held or #due == 2 * most) then
  wait_ms = 0 -- all that was looked at stood in the way of what is behind it
end
return { wait_ms < math.huge and wait_ms or -1, claimed }
