-- Reads the log after a cursor: {'HELD', behind, size, entries, whole, subject}, or 'GAP' where the log cannot go on from
-- there. `behind` is the bytes of all that follows, `size` about what a snapshot takes instead; `whole` is 1 where
-- the entries are all that follow: a page ends after so many entries, or so many bytes.
local id, after, most = ARGV[1], ARGV[2], tonumber(ARGV[3])
local PAGE_BYTES = 64 * 1024
local AT_ONCE = 32
local job = open(id)
if not job then
  return { 'GONE' }
end
local log = key(id, 'log')
local held = redis.call('XRANGE', log, after, after)
local before
if #held == 1 then
  before = tonumber(held[1][2][4])
elseif redis.call('HGET', key(id, 'job'), 'front') == after then
  before = job.front_bytes -- trimmed itself, but all that follows it is there
else
  return { 'GAP' }
end

local function snapshot_size()
  local size = 1024
  for _, part in ipairs(split(job.part_names)) do
    size = size + (tonumber(redis.call('HGET', key(id, 'texts'), part .. ':bytes')) or 0)
    size = size + redis.call('HSTRLEN', key(id, 'parts'), part) + 64
  end
  for _, step in ipairs(split(job.step_names)) do
    size = size + redis.call('HSTRLEN', key(id, 'steps'), step)
  end
  return size + redis.call('HSTRLEN', key(id, 'job'), 'progress') + redis.call('HSTRLEN', key(id, 'job'), 'end_body')
end

local entries = {}
local place, read = after, before
repeat
  local found = redis.call('XRANGE', log, '(' .. place, '+', 'COUNT', math.min(AT_ONCE, most - #entries))
  for _, entry in ipairs(found) do
    if read - before > PAGE_BYTES then
      break
    end
    entries[#entries + 1] = entry
    place, read = entry[1], tonumber(entry[2][4])
  end
until #found == 0 or #entries >= most or read - before > PAGE_BYTES
return { 'HELD', job.bytes - before, snapshot_size(), entries, read == job.bytes and 1 or 0, job.subject }
