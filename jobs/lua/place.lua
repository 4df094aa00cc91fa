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
if not front[1] or seq > tonumber(held[2]) then
  return { 'GAP' }
end

-- Entries are in the order of their time and of their number alike: look in the middle of the time that is left.
local low, high = tonumber(string.match(front[1][1], '^(%d+)-')), tonumber(held[1])
while low <= high do
  local middle = math.floor((low + high) / 2)
  local entry = redis.call('XRANGE', log, int(middle) .. '-' .. ARGV[2], '+', 'COUNT', 1)[1]
  local us, number = string.match(entry and entry[1] or '', '^(%d+)-(%d+)$')
  if tonumber(number) == seq then
    return { 'HELD', entry[1] }
  elseif number and tonumber(number) < seq then
    low = math.max(middle + 1, tonumber(us))
  else
    high = middle - 1
  end
end
return { 'GAP' }
