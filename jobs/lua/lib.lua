-- What every script shares: opening a job, adding an update to its log, ending it.
-- Key names are made here from a job's id, because a script touches many jobs; a cluster is refused at start.
-- Times are microseconds of the store's clock unless a name says otherwise.

local ENTRY_BYTES = 64 -- what `id:`, `event:` and `data:` add to a body on the wire
local LOG_ENTRIES = 5000
local LOG_BYTES = 4 * 1024 * 1024
local TRIM_AFTER_MS = 60 * 1000
local LIFETIME_MS = 30 * 24 * 3600 * 1000 -- of what a job that never ends leaves behind
local MOST_FAILURES = 100 -- that are remembered of a job
local MOST_ATTEMPTS = 100
local DELIVERY_KEPT_MS = 7 * 24 * 3600 * 1000 -- since it was last tried, or is to be
local MOST_DELIVERIES = 10000 -- that are listed
local TERMINAL = { completed = true, failed = true, cancelled = true }

local function key(id, what)
  return PREFIX .. id .. ':' .. what
end

local function int(number)
  return string.format('%.0f', number)
end

local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- RFC 3339, UTC, milliseconds; the date by the days-to-civil method of H. Hinnant.
local function stamp(us)
  local ms = math.floor(us / 1000)
  local seconds = math.floor(ms / 1000)
  local days = math.floor(seconds / 86400)
  local shifted = days + 719468
  local era = math.floor(shifted / 146097)
  local day_of_era = shifted - era * 146097
  local year_of_era = math.floor(
    (day_of_era - math.floor(day_of_era / 1460) + math.floor(day_of_era / 36524) - math.floor(day_of_era / 146096)) / 365
  )
  local day_of_year = day_of_era
    - (365 * year_of_era + math.floor(year_of_era / 4) - math.floor(year_of_era / 100))
  local moon = math.floor((5 * day_of_year + 2) / 153)
  local day = day_of_year - math.floor((153 * moon + 2) / 5) + 1
  local month = moon < 10 and moon + 3 or moon - 9
  local year = year_of_era + era * 400 + (month <= 2 and 1 or 0)
  local of_day = seconds - days * 86400
  return string.format(
    '%04d-%02d-%02dT%02d:%02d:%02d.%03dZ',
    year, month, day, math.floor(of_day / 3600), math.floor(of_day / 60) % 60, of_day % 60, ms % 1000
  )
end

local function quoted(text)
  return text and text ~= '' and '"' .. text .. '"' or 'null'
end

-- What is sealed stands bare in the JSON that is made here, and whoever opens it puts its own JSON in its place.
local function quoted_unless_sealed(text)
  return text and string.sub(text, 1, 4) == 'enc:' and text or quoted(text)
end

local function or_null(json)
  return json and json ~= '' and json or 'null'
end

local function split(names)
  local list = {}
  for name in string.gmatch(names or '', '[^,]+') do
    list[#list + 1] = name
  end
  return list
end

-- A job as its record holds it, or nil where there is no such job. What is not there yet is '' or 0.
-- Spelled out, because every script begins with it: a loop over two lists of names took a fifth of an append.
local function open(id)
  local held = redis.call(
    'HMGET', key(id, 'job'),
    'state', 'kind', 'subject', 'started_at', 'part_names', 'step_names', 'token', 'idempotency', 'parent',
    'slotted', 'unwanted', 'counted', 'claimed_at',
    'run', 'seq', 'us', 'bytes', 'front_bytes', 'attempt', 'flush', 'crashes', 'retention', 'failed_retention'
  )
  if not held[1] then
    return nil
  end
  return {
    id = id, now = now_us(), changes = {},
    state = held[1], kind = held[2] or '', subject = held[3] or '', started_at = held[4] or '',
    part_names = held[5] or '', step_names = held[6] or '', token = held[7] or '', idempotency = held[8] or '',
    parent = held[9] or '', slotted = held[10] or '', unwanted = held[11] or '', counted = held[12] or '',
    claimed_at = held[13] or '',
    run = tonumber(held[14]) or 0, seq = tonumber(held[15]) or 0, us = tonumber(held[16]) or 0,
    bytes = tonumber(held[17]) or 0, front_bytes = tonumber(held[18]) or 0, attempt = tonumber(held[19]) or 0,
    flush = tonumber(held[20]) or 0, crashes = tonumber(held[21]) or 0,
    retention = tonumber(held[22]) or 0, failed_retention = tonumber(held[23]) or tonumber(held[22]) or 0,
  }
end

-- Changes a field of the record, once the job is saved.
local function set(job, field, value)
  local changes = job.changes
  local last = #changes
  changes[last + 1], changes[last + 2] = field, value
end

-- Numbers an update, stores it and announces it, with the time of the one before, so that whoever keeps the
-- newest entries knows what they follow. The body is one line of JSON that no script reads.
local function add(job, event, body)
  local before = int(job.us) .. '-' .. int(job.seq)
  job.seq = job.seq + 1
  job.us = math.max(job.us, job.now)
  job.bytes = job.bytes + #body + ENTRY_BYTES
  local cursor = int(job.us) .. '-' .. int(job.seq)
  local total = int(job.bytes)
  redis.call('XADD', key(job.id, 'log'), cursor, 'event', event, 'total', total, 'body', body)
  redis.call('PUBLISH', key(job.id, 'channel'), cursor .. '|' .. before .. '|' .. event .. '|' .. total .. '|' .. body)
end

-- Drops entries from the front until the log is within its bounds; the newest always stays.
local function trim(job)
  if job.seq <= LOG_ENTRIES and job.bytes <= LOG_BYTES then
    return
  end
  local log = key(job.id, 'log')
  local excess = redis.call('XLEN', log) - LOG_ENTRIES
  local last_gone
  while excess > 0 or job.bytes - job.front_bytes > LOG_BYTES do
    local front = redis.call('XRANGE', log, '-', '+', 'COUNT', 2)
    if #front < 2 then
      break
    end
    last_gone = front[1][1]
    job.front_bytes = tonumber(front[1][2][4])
    redis.call('XTRIM', log, 'MINID', '=', front[2][1])
    excess = excess - 1
  end
  if last_gone then
    set(job, 'front', last_gone)
  end
end

-- Writes what changed; every script that opened a job and changed it ends with this.
local function save(job)
  trim(job)
  set(job, 'seq', int(job.seq))
  set(job, 'us', int(job.us))
  set(job, 'bytes', int(job.bytes))
  set(job, 'front_bytes', int(job.front_bytes))
  redis.call('HSET', key(job.id, 'job'), unpack(job.changes))
end

local function ring_bell()
  redis.call('LPUSH', BELL, 1)
  redis.call('LTRIM', BELL, 0, 127)
  redis.call('EXPIRE', BELL, 3600)
end

-- Counts the job among those of its kind in this state, and no more in the one where it was counted before; '' once
-- it has ended. What it is counted as stands in its record, so that no state is left out by a version that counts none.
local function count(job, state)
  if job.counted ~= '' then
    redis.call('HINCRBY', COUNTS, job.counted, -1)
  end
  job.counted = state ~= '' and job.kind .. ' ' .. state or ''
  if job.counted ~= '' then
    redis.call('HINCRBY', COUNTS, job.counted, 1)
  end
  redis.call('HINCRBY', COUNTS, 'changes', 1)
  set(job, 'counted', job.counted)
end

-- Puts the job into another state; what: next_attempt_at (a stamp), error (JSON), reason, from.
local function change_state(job, state, what)
  job.state = state
  set(job, 'state', state)
  set(job, 'next_attempt_at', what.next_attempt_at or '')
  set(job, 'error', what.error or '')
  local more = what.reason and ',"reason":"' .. what.reason .. '"' or ''
  if what.from and what.from ~= '' then
    more = more .. ',"from":"' .. what.from .. '"'
  end
  add(job, 'state', string.format(
    '{"state":"%s","run":%d,"attempt":%d,"next_attempt_at":%s,"started_at":%s,"error":%s%s}',
    state, job.run, job.attempt, quoted(what.next_attempt_at), quoted(job.started_at), or_null(what.error), more
  ))
  count(job, state)
end

local function every_key(job)
  local keys = {}
  for _, what in ipairs({ 'job', 'input', 'image', 'log', 'children', 'failures', 'rejects', 'attempts' }) do
    keys[#keys + 1] = key(job.id, what)
  end
  if job.part_names ~= '' or job.step_names ~= '' then
    for _, what in ipairs({ 'parts', 'steps', 'kept', 'texts' }) do
      keys[#keys + 1] = key(job.id, what)
    end
  end
  for _, part in ipairs(split(job.part_names)) do
    keys[#keys + 1] = key(job.id, 'text:' .. part)
  end
  if job.idempotency ~= '' then
    keys[#keys + 1] = job.idempotency
  end
  return keys
end

-- The job's place in the queue if it falls due then: ahead of its time, as far as when it was submitted.
local function place(job, due_us)
  local ahead_ms = tonumber(redis.call('HGET', key(job.id, 'job'), 'ahead_ms')) or 0
  return int(math.floor(due_us / 1000 - ahead_ms))
end

-- Keeps the job out of the queue until it falls due.
local function schedule(job, due_us)
  local kept_ms = int(LIFETIME_MS + math.max(0, due_us - job.now) / 1000)
  redis.call('ZREM', QUEUE, job.id)
  redis.call('ZADD', SCHEDULED, int(math.ceil(due_us / 1000)), job.id)
  redis.call('PEXPIRE', SCHEDULED, kept_ms, 'NX')
  for _, name in ipairs({ SCHEDULED, ARQ_JOB .. job.id, unpack(every_key(job)) }) do
    redis.call('PEXPIRE', name, kept_ms, 'GT')
  end
  set(job, 'score', place(job, due_us))
end

-- Puts the job, which is due, into the queue.
local function enqueue(job)
  redis.call('ZREM', SCHEDULED, job.id)
  redis.call('ZADD', QUEUE, place(job, job.now), job.id)
  ring_bell()
end

-- Why no job of the kind and subject may come in, or nil; 0 is no limit. What a pause of the kind holds back waits too.
local function no_room(kind, subject, most_active, most_waiting)
  return most_active > 0 and redis.call('SCARD', ACTIVE .. subject) >= most_active and 'TOO_MANY_JOBS'
    or most_waiting > 0 and redis.call('ZCARD', QUEUE) + redis.call('ZCARD', HELD .. kind) >= most_waiting and 'QUEUE_FULL'
end

-- What a running job takes a slot of: its kind, its kind for its subject, and the one place for jobs that are
-- poison if they lose one more worker: were there two beside each other, one would be blamed for the other.
local SUSPECT = '!suspect'
local function scopes(job)
  return { job.kind, job.kind .. ':' .. job.subject, SUSPECT }
end

-- Remembers how an attempt failed, for whoever inspects the job once its log is trimmed; `error` is JSON or ''.
local function remember_failure(job, outcome, error)
  local name = key(job.id, 'failures')
  redis.call('RPUSH', name, string.format(
    '{"run":%d,"attempt":%d,"at":%s,"outcome":"%s","error":', job.run, job.attempt, quoted(stamp(job.now)), outcome
  ) .. or_null(error) .. '}')
  redis.call('LTRIM', name, -MOST_FAILURES, -1)
  redis.call('PEXPIRE', name, LIFETIME_MS)
end

-- Puts the job that has waited longest for a slot of this scope back into the queue.
local function unpark(scope)
  local next_one = redis.call('ZPOPMIN', PARKED .. scope)
  if next_one[1] then
    redis.call('ZADD', QUEUE, next_one[2], next_one[1])
    ring_bell()
  end
end

-- Gives the job's slots to whoever waits for them.
local function give_slots_back(job)
  if job.slotted == '' then
    return -- it never took or waited for one
  end
  for _, scope in ipairs(scopes(job)) do
    redis.call('ZREM', PARKED .. scope, job.id)
    redis.call('ZREM', SLOTS .. scope, job.id)
    unpark(scope) -- also where it held none: it may have been woken for a slot that it did not take
  end
end

-- Something more of the job is kept: whatever took its workers, the next one begins further on.
local function clear_of_suspicion(job)
  if job.crashes == 0 then
    return
  end
  set(job, 'crashes', 0)
  if redis.call('ZREM', SLOTS .. SUSPECT, job.id) == 1 then
    unpark(SUSPECT)
  end
end

-- Remembers how the attempt that is under way has ended, if one is. Its worker is in the token, `<worker>-<number>`.
local function close_attempt(job, outcome, error_type)
  if job.claimed_at == '' then
    return
  end
  local name = key(job.id, 'attempts')
  local length = redis.call('RPUSH', name, string.format(
    '{"run":%d,"attempt":%d,"worker":%s,"started_at":"%s","finished_at":"%s","outcome":"%s","error_type":%s}',
    job.run, job.attempt, quoted(string.match(job.token, '^(.+)%-%d+$')), job.claimed_at, stamp(job.now), outcome,
    quoted(error_type)
  ))
  if length == 1 then
    redis.call('PEXPIRE', name, LIFETIME_MS)
  elseif length > MOST_ATTEMPTS then
    redis.call('LTRIM', name, -MOST_ATTEMPTS, -1)
  end
  job.claimed_at = ''
  set(job, 'claimed_at', '')
end

-- Ends a worker's hold on the job; the outcome is that of its attempt.
local function let_go(job, outcome, error_type)
  redis.call('DEL', ARQ_IN_PROGRESS .. job.id)
  close_attempt(job, outcome, error_type)
  redis.call('ZREM', LEASED, job.id)
  give_slots_back(job)
end

-- Remembers how long the attempt has run, since the time until a worker has it again does not count.
local function keep_time_spent(job)
  local began = tonumber(redis.call('HGET', key(job.id, 'job'), 'attempt_us')) or job.now
  set(job, 'spent_us', int(job.now - began))
end

-- Tells a waiting parent that one of its children has ended; with the last one it goes on.
local function tell_parent(job)
  if job.parent == '' then
    return
  end
  redis.call('SREM', key(job.parent, 'children'), job.id)
  local state = redis.call('HGET', key(job.parent, 'job'), 'state')
  if state == 'waiting' and redis.call('SCARD', key(job.parent, 'children')) == 0 then
    enqueue({ id = job.parent, now = job.now })
  end
end

-- What `end` says of each part: one that did not end by itself ends with its run, and nothing proves its text.
local function part_ends(job, state)
  local unfinished = state == 'failed' and 'failed' or 'cancelled'
  local ends = {}
  for _, part in ipairs(split(job.part_names)) do
    local head = redis.call('HGET', key(job.id, 'texts'), part .. ':head') or 'pending'
    local its_state, length, digest = string.match(head, '^(%a+)|(%d+)|(.+)$')
    its_state = its_state or string.match(head, '^%a+')
    if its_state == 'pending' or its_state == 'running' then
      its_state = unfinished
    end
    ends[#ends + 1] = string.format(
      '"%s":{"state":"%s","length":%s,"sha256":%s}', part, its_state, length or 'null', quoted_unless_sealed(digest)
    )
  end
  return '{' .. table.concat(ends, ',') .. '}'
end

-- Has the delivery made then, or soon after.
local function deliver_at(host, delivery, ms)
  redis.call('ZADD', DUE .. host, int(ms), delivery)
  redis.call('PEXPIRE', DUE .. host, LIFETIME_MS)
  redis.call('ZADD', HOSTS, 'LT', int(ms), host)
  redis.call('PEXPIRE', HOSTS, LIFETIME_MS)
end

-- Keeps the delivery, and that it is of this job, for so long from now on.
local function keep_delivery(id, delivery, ms)
  redis.call('PEXPIRE', DELIVERY .. delivery, int(ms))
  redis.call('PEXPIRE', key(id, 'deliveries'), int(ms), 'NX')
  redis.call('PEXPIRE', key(id, 'deliveries'), int(ms), 'GT')
end

-- Orders that whoever asked for it be told of the end. Each run has a delivery of its own, which the job may not
-- outlive: what it tells is in it.
local function order_delivery(job, error_type, title)
  local url, host, metadata = unpack(redis.call('HMGET', key(job.id, 'job'), 'webhook', 'webhook_host', 'metadata'))
  if not url or job.unwanted ~= '' then
    return
  end
  local delivery = job.id .. '-' .. int(job.run)
  local now_ms = job.now / 1000
  redis.call(
    'HSET', DELIVERY .. delivery,
    'job', job.id, 'run', int(job.run), 'kind', job.kind, 'subject', job.subject, 'metadata', metadata or '{}',
    'ended', job.state, 'ended_us', int(job.now), 'error_type', error_type or '', 'title', title or '',
    'url', url, 'host', host, 'state', 'pending', 'attempt', 0, 'at_us', int(job.now), 'next_ms', int(now_ms)
  )
  redis.call('SADD', key(job.id, 'deliveries'), delivery)
  keep_delivery(job.id, delivery, DELIVERY_KEPT_MS)
  deliver_at(host, delivery, now_ms)
  redis.call('ZADD', DELIVERIES, int(now_ms), delivery)
  redis.call('PEXPIRE', DELIVERIES, LIFETIME_MS)
  redis.call('ZREMRANGEBYSCORE', DELIVERIES, '-inf', int(now_ms - LIFETIME_MS))
  for _, oldest in ipairs(redis.call('ZRANGE', DELIVERIES, 0, -MOST_DELIVERIES - 1)) do
    redis.call('ZREM', DELIVERIES, oldest)
  end
end

-- Forgets what is to be told of the job, and what was.
local function forget_deliveries(id)
  for _, delivery in ipairs(redis.call('SMEMBERS', key(id, 'deliveries'))) do
    redis.call('ZREM', DUE .. (redis.call('HGET', DELIVERY .. delivery, 'host') or ''), delivery)
    redis.call('ZREM', DELIVERIES, delivery)
    redis.call('DEL', DELIVERY .. delivery)
  end
  redis.call('DEL', key(id, 'deliveries'))
end

-- Deletes an ended job and all its data, and tells whoever follows it.
local function erase(job)
  forget_deliveries(job.id)
  redis.call('DEL', unpack(every_key(job)))
  redis.call('ZREM', DEAD_LETTERS, job.id)
  redis.call('ZREM', TRIMS, job.id)
  redis.call('ZREM', SUBJECTS .. job.subject, job.id)
  redis.call('ZREM', JOBS, job.id)
  redis.call('PUBLISH', key(job.id, 'channel'), '')
end

-- The one `end` of a run: says so, lets the job go, and starts its retention. Result and error are JSON or '',
-- `error_type` the error's slug, `title` its title. The folded fields stay as they were before the end, since a stream's snapshot of
-- an ended job is that.
local function finish(job, state, result, error, error_type, title)
  local kept_ms = state == 'failed' and job.failed_retention or job.retention
  local parent_state = job.parent ~= '' and redis.call('HGET', key(job.parent, 'job'), 'state')
  if parent_state and not TERMINAL[parent_state] then
    kept_ms = math.max(kept_ms, LIFETIME_MS) -- its parent may look at it only when the last of its siblings has ended
  end
  set(job, 'state_before', job.state)
  set(job, 'us_before', int(job.us))
  job.state = state
  set(job, 'state', state)
  local body = string.format('{"state":"%s","result":', state)
    .. or_null(result) .. ',"error":' .. or_null(error)
    .. ',"finished_at":' .. quoted(stamp(job.now))
    .. ',"expires_at":' .. quoted(stamp(job.now + kept_ms * 1000))
    .. ',"parts":' .. part_ends(job, state) .. '}'
  redis.call('DEL', ARQ_JOB .. job.id) -- a full store lets a script go on whose first write takes no memory
  add(job, 'end', body)
  set(job, 'end_body', body)
  set(job, 'end_us', int(job.us))
  set(job, 'end_total', int(job.bytes))
  set(job, 'error_type', error_type or '')
  redis.call('ZREM', QUEUE, job.id)
  redis.call('ZREM', SCHEDULED, job.id)
  if job.claimed_at == '' then
    redis.call('ZREM', HELD .. job.kind, job.id)
  end
  let_go(job, state, error_type)
  count(job, '')
  redis.call('SREM', ACTIVE .. job.subject, job.id)
  redis.call('HINCRBY', ENDED, job.kind .. ' ' .. state, 1)
  redis.call('ZADD', TRIMS, int(job.now / 1000 + (job.unwanted == '' and TRIM_AFTER_MS or 0)), job.id)
  if state == 'failed' then
    redis.call('ZADD', DEAD_LETTERS, int(job.now / 1000), job.id)
    remember_failure(job, 'failed', error)
  end
  save(job)
  order_delivery(job, error_type, title)
  tell_parent(job)
  for _, name in ipairs(every_key(job)) do
    redis.call('PEXPIRE', name, int(kept_ms))
  end
end
