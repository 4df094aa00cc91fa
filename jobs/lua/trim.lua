-- Trims the logs of jobs that ended a while ago down to their end; returns how many it looked at.
local most = tonumber(ARGV[1])
local due = redis.call('ZRANGEBYSCORE', TRIMS, '-inf', int(now_us() / 1000), 'LIMIT', 0, most)
for _, id in ipairs(due) do
  redis.call('ZREM', TRIMS, id)
  local job = open(id)
  if job and TERMINAL[job.state] then
    local held = redis.call('HMGET', key(id, 'job'), 'end_us', 'us_before')
    local last = redis.call('XREVRANGE', key(id, 'log'), '+', '-', 'COUNT', 2)
    if #last == 2 then
      redis.call('HSET', key(id, 'job'), 'front', last[2][1], 'front_bytes', last[2][2][4])
      redis.call('XTRIM', key(id, 'log'), 'MINID', '=', last[1][1])
    end
  end
end
return #due
