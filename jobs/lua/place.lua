-- The cursor of the update with this number, if the log still knows it: of an entry, or of the last one trimmed.
local id, seq = ARGV[1], tonumber(ARGV[2])
local held = redis.call('HMGET', key(id, 'job'), 'us', 'seq', 'front')
if not held[1] then
  return { 'GONE' }
end
if tonumber(held[2]) == seq then
  return { 'HELD', held[1] .. '-' .. held[2] }
end
if held[3] and string.match(held[3], '-(%d+)$') == ARGV[2] then
  return { 'HELD', held[3] }
end
local log = key(id, 'log')
local front = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)
local ahead = front[1] and seq - tonumber(string.match(front[1][1], '-(%d+)$')) or -1
if ahead < 0 or seq > tonumber(held[2]) then
  return { 'GAP' }
end
local entries = redis.call('XRANGE', log, '-', '+', 'COUNT', ahead + 1)
return { 'HELD', entries[#entries][1] }
