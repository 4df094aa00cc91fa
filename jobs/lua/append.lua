-- Appends a flush of updates for whoever holds the lease: numbers, stores, folds and announces them as one act.
-- A flush sent again after a lost reply is told by its number, and nothing happens twice.
local id, token, flush = ARGV[1], ARGV[2], tonumber(ARGV[3])
local FIELDS = 7 -- event, name, head, body, value, write, text

local job = open(id)
if not job then
  return { 'GONE' }
end
if job.token == token and flush <= job.flush then
  return { 'DUPLICATE' }
end
if TERMINAL[job.state] then
  return { 'CLOSED' }
end
if redis.call('GET', ARQ_IN_PROGRESS .. id) ~= token then
  return { 'FENCED' }
end
if flush ~= job.flush + 1 then
  return { 'ROLLED_BACK' } -- flushes before this one were acknowledged, and lost with the store's power
end
if job.state == 'cancelling' then
  redis.call('DEL', ARQ_JOB .. id) -- as `finish` does: a full store is to take what is left to say before the end
end

local fresh = {} -- keys that may have been made by this flush

local function know(names, name)
  if string.find(',' .. job[names] .. ',', ',' .. name .. ',', 1, true) then
    return
  end
  job[names] = job[names] == '' and name or job[names] .. ',' .. name
  set(job, names, job[names])
  for _, what in ipairs({ 'parts', 'steps', 'texts' }) do
    fresh[#fresh + 1] = key(id, what)
  end
end

-- write: '+' adds a piece to the part's text, '=' puts the text in its place.
local function write_text(part, write, text)
  local pieces = key(id, 'text:' .. part)
  if write == '=' then
    redis.call('DEL', pieces)
    redis.call('HSET', key(id, 'texts'), part .. ':bytes', 0)
  end
  if text ~= '' then
    if redis.call('RPUSH', pieces, text) == 1 then
      redis.call('PEXPIRE', pieces, LIFETIME_MS)
    end
    redis.call('HINCRBY', key(id, 'texts'), part .. ':bytes', #text)
  end
end

local fold = {
  progress = function(_, _, value, write)
    set(job, 'progress', value)
    if write == '=' then -- what was done so far is kept, outside of the store
      clear_of_suspicion(job)
    end
  end,
  -- A step's text is its result, if the step is done: kept, so that no later attempt runs it again.
  step = function(name, _, value, write, text)
    know('step_names', name)
    redis.call('HSET', key(id, 'steps'), name, value)
    if write == '=' then
      redis.call('HSETNX', key(id, 'kept'), name, text)
      fresh[#fresh + 1] = key(id, 'kept')
      clear_of_suspicion(job)
    end
  end,
  part = function(name, head, value, write, text)
    know('part_names', name)
    redis.call('HSET', key(id, 'parts'), name, value)
    redis.call('HSET', key(id, 'texts'), name .. ':head', head)
    if write ~= '' then
      write_text(name, write, text)
    end
  end,
  delta = function(name, _, _, write, text)
    write_text(name, write, text)
  end,
}

-- An event that the job sends leaves with the step that says so: both are kept, or neither.
local function send(event)
  redis.call('RPUSH', OUTBOX, event)
  redis.call('PEXPIRE', OUTBOX, LIFETIME_MS)
  ring_bell()
end

set(job, 'flush', flush)
for first = 4, #ARGV, FIELDS do
  local event, name, head, body, value, write, text = unpack(ARGV, first, first + FIELDS - 1)
  if event == 'send' then
    send(value)
  elseif event == 'end' then
    finish(job, head, value, text, name, body)
    return { 'APPENDED' }
  else
    fold[event](name, head, value, write, text)
    add(job, event, body)
  end
end
for _, name in ipairs(fresh) do
  redis.call('PEXPIRE', name, LIFETIME_MS)
end
save(job)
return { 'APPENDED' }
