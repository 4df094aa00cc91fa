-- Trims the logs of jobs that ended a while ago down to their end, and deletes those that nobody wants any more;
-- returns how many it looked at.
local most = tonumber(ARGV[1])
local due = redis.call('ZRANGEBYSCORE', TRIMS, '-inf', int(now_us() / 1000), 'LIMIT', 0, most)
for _, id in ipairs(due) do
  redis.call('ZREM', TRIMS, id)
  local job = open(id)
  if job and TERMINAL[job.state] then
    if job.counted ~= '' then -- it was ended by a worker of an older version, which counts nothing
      count(job, '')
      save(job)
    end
    local log = key(id, 'log')
    local last = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 2)
    if redis.call('HGET', key(id, 'job'), 'unwanted') then
      erase(job)
    elseif #last == 2 then
      redis.call('HSET', key(id, 'job'), 'front', last[2][1], 'front_bytes', last[2][2][4])
      redis.call('XTRIM', log, 'MINID', '=', last[1][1])
    end
  end
end
return #due
