-- Notes how the try of a delivery went, for whoever holds it; one that stays `pending` is tried again after `delay_ms`.
local delivery, token, state, status, error, delay_ms =
  ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
local name = DELIVERY .. delivery
local id, host, held_by = unpack(redis.call('HMGET', name, 'job', 'host', 'token'))
if held_by ~= token then
  return 'FENCED' -- or forgotten meanwhile
end
local now = now_us()

local function stop(other, how) -- whoever is trying it just now has it no more
  redis.call('HSET', DELIVERY .. other, 'state', how, 'next_ms', '', 'token', '')
  redis.call('ZREM', DUE .. host, other)
end

redis.call('HSET', name, 'status', status, 'error', error, 'at_us', int(now), 'token', '')
redis.call('HINCRBY', name, 'attempt', 1)
if state == 'pending' then
  local next_ms = now / 1000 + delay_ms
  redis.call('HSET', name, 'next_ms', int(next_ms))
  deliver_at(host, delivery, next_ms)
else
  stop(delivery, state)
end
if state == 'disabled' then -- the endpoint wants to hear no more of this job
  redis.call('HDEL', key(id, 'job'), 'webhook', 'webhook_host')
  for _, other in ipairs(redis.call('SMEMBERS', key(id, 'deliveries'))) do
    if redis.call('HGET', DELIVERY .. other, 'state') == 'pending' then
      stop(other, 'disabled')
    end
  end
end
keep_delivery(id, delivery, DELIVERY_KEPT_MS + delay_ms)
return 'SETTLED'
