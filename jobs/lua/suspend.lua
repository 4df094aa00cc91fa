-- Puts a job to sleep without a worker: until a moment of the store's clock, or until its children have ended.
-- Its attempt goes on when it wakes. A job with nothing left to wait for is woken at once.
local id, token, until_us = ARGV[1], ARGV[2], tonumber(ARGV[3])
local RECHECK_US = 3600 * 1000000 -- a child that vanished tells nobody; its parent looks again by itself

local job = open(id)
if not job or redis.call('GET', ARQ_IN_PROGRESS .. id) ~= token then
  return 'FENCED'
end
if job.state == 'cancelling' then
  finish(job, 'cancelled', '', '')
  return 'SUSPENDED'
end
if until_us == 0 then
  local waits = redis.call('SCARD', key(id, 'children')) > 0
  until_us = waits and job.now + RECHECK_US or job.now
end
let_go(job, 'waiting')
keep_time_spent(job)
schedule(job, until_us)
change_state(job, 'waiting', {})
save(job)
ring_bell()
return 'SUSPENDED'
