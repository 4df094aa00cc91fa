-- Makes a delivery once more, whatever became of it, with as many tries as the first time.
local delivery = ARGV[1]
local name = DELIVERY .. delivery
local id, host = unpack(redis.call('HMGET', name, 'job', 'host'))
if not id then
  return 'GONE'
end
local now_ms = now_us() / 1000
redis.call('HSET', name, 'state', 'pending', 'attempt', 0, 'next_ms', int(now_ms), 'token', '')
keep_delivery(id, delivery, DELIVERY_KEPT_MS)
deliver_at(host, delivery, now_ms)
return 'ORDERED'
