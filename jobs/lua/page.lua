-- A page of the log after a cursor ('' for its beginning): {reset, entries, newest cursor, state, subject}. `reset` is 1
-- where the log does not know the cursor, or has lost its front: then the page begins at the oldest that is kept.
local id, after, most = ARGV[1], ARGV[2], ARGV[3]
local held = redis.call('HMGET', key(id, 'job'), 'us', 'seq', 'state', 'front', 'subject')
if not held[1] then
  return { 0, {}, '', 'GONE', '' }
end
local log = key(id, 'log')
local newest = held[1] .. '-' .. held[2]
if after ~= '' and (held[4] == after or #redis.call('XRANGE', log, after, after) == 1) then
  return { 0, redis.call('XRANGE', log, '(' .. after, '+', 'COUNT', most), newest, held[3], held[5] }
end
local reset = (after ~= '' or held[4]) and 1 or 0
return { reset, redis.call('XRANGE', log, '-', '+', 'COUNT', most), newest, held[3], held[5] }
