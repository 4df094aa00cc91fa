-- Takes what a request needs of its quotas: of all of them, or of none. Answers 0, or the ms until there may be room.
-- Each quota is five arguments: how it is counted, its name, how much there is of it, a time in ms, and who takes it.
local FIELDS = 5
local now = now_us()

-- `most` at once, and one more each `ms`. Its value is the moment at which all of it will be there again.
local bucket = {}

function bucket.full_us_after(name, ms)
  return math.max(now, tonumber(redis.call('GET', name)) or now) + ms * 1000
end

function bucket.wait_ms(name, most, ms)
  return (bucket.full_us_after(name, ms) - now) / 1000 - most * ms
end

function bucket.take(name, ms)
  local full_us = bucket.full_us_after(name, ms)
  redis.call('SET', name, int(full_us), 'PX', int(math.ceil((full_us - now) / 1000)))
end

-- `most` within `ms` from the first on. Its value is how many were taken.
local window = {}

function window.wait_ms(name, most)
  local taken = tonumber(redis.call('GET', name)) or 0
  return taken >= most and redis.call('PTTL', name) or 0
end

function window.take(name, ms)
  if redis.call('INCR', name) == 1 then
    redis.call('PEXPIRE', name, ms)
  end
end

-- `most` held at the same time, each until it is given back or its lease of `ms` is over.
local seats = {}

function seats.wait_ms(name, most, ms)
  redis.call('ZREMRANGEBYSCORE', name, '-inf', int(now / 1000))
  return redis.call('ZCARD', name) >= most and ms or 0
end

function seats.take(name, ms, who)
  redis.call('ZADD', name, int(now / 1000 + ms), who)
  redis.call('PEXPIRE', name, ms)
end

local ways = { bucket = bucket, window = window, seats = seats }
for index = 1, #ARGV, FIELDS do
  local way, name, most, ms = ARGV[index], ARGV[index + 1], tonumber(ARGV[index + 2]), tonumber(ARGV[index + 3])
  local wait_ms = ways[way].wait_ms(name, most, ms)
  if wait_ms > 0 then
    return int(math.ceil(wait_ms))
  end
end
for index = 1, #ARGV, FIELDS do
  ways[ARGV[index]].take(ARGV[index + 1], tonumber(ARGV[index + 3]), ARGV[index + 4])
end
return '0'
