-- Gives a worker up to `slots` deliveries that are due, under a lease: nobody else gets them until it ends. Hosts take
-- turns, so that the many deliveries of one hinder none of another; those that are busy are passed over.
local slots, most_of_one, lease_ms, token = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local now_ms = math.floor(now_us() / 1000)
local taken = {}
local busy = {}
for index = 5, #ARGV do
  busy[ARGV[index]] = true
end

local function take_of(host)
  local most = math.min(most_of_one, slots - #taken)
  for _, delivery in ipairs(redis.call('ZRANGEBYSCORE', DUE .. host, '-inf', int(now_ms), 'LIMIT', 0, most)) do
    if redis.call('EXISTS', DELIVERY .. delivery) == 1 then
      redis.call('HSET', DELIVERY .. delivery, 'token', token)
      redis.call('ZADD', DUE .. host, int(now_ms + lease_ms), delivery)
      taken[#taken + 1] = { delivery, redis.call('HGETALL', DELIVERY .. delivery) }
    else
      redis.call('ZREM', DUE .. host, delivery)
    end
  end
  local first = redis.call('ZRANGE', DUE .. host, 0, 0, 'WITHSCORES')
  if first[2] then
    redis.call('ZADD', HOSTS, int(math.max(now_ms, tonumber(first[2]))), host) -- behind the others that are due
  else
    redis.call('ZREM', HOSTS, host)
  end
end

for _, host in ipairs(redis.call('ZRANGEBYSCORE', HOSTS, '-inf', int(now_ms), 'LIMIT', 0, slots + #ARGV - 4)) do
  if #taken < slots and not busy[host] then
    take_of(host)
  end
end
return taken
