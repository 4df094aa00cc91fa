-- Reads the log after a cursor: {'HELD', seq, behind, size, entries}, or 'GAP' where the log cannot go on from
-- there. `behind` is the bytes of all that follows, `size` about what a snapshot takes instead.
local id, after, most = ARGV[1], ARGV[2], ARGV[3]
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

local entries = redis.call('XRANGE', log, '(' .. after, '+', 'COUNT', most)
return { 'HELD', job.bytes - before, snapshot_size(), entries }
