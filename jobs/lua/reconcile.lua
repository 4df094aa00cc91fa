-- Mends what no single act can: slots of dead workers, jobs parked beside a free slot, entries without a record.
-- Returns how many things it mended.
local most = tonumber(ARGV[1])
local now_ms = now_us() / 1000
local mended = 0

for _, scope in ipairs(redis.call('SRANDMEMBER', PARKED, most)) do
  local dead = redis.call('ZREMRANGEBYSCORE', SLOTS .. scope, '-inf', int(now_ms))
  local parked = redis.call('ZCARD', PARKED .. scope)
  if parked == 0 then
    redis.call('SREM', PARKED, scope)
  elseif dead > 0 or redis.call('ZCARD', SLOTS .. scope) == 0 then
    unpark(scope)
    mended = mended + 1
  end
end
for _, id in ipairs(redis.call('ZRANGE', QUEUE, 0, most - 1)) do
  local state = redis.call('HGET', key(id, 'job'), 'state')
  if not state or TERMINAL[state] then
    redis.call('ZREM', QUEUE, id)
    mended = mended + 1
  end
end
return mended
