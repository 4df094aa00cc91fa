-- Ends an attempt that failed and is to be followed by another after `delay_ms`; the error is JSON.
local id, token, delay_ms, error = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local job = open(id)
if not job or redis.call('GET', ARQ_IN_PROGRESS .. id) ~= token then
  return 'FENCED'
end
if job.state == 'cancelling' then
  finish(job, 'cancelled', '', '')
  return 'POSTPONED'
end
local due_us = job.now + delay_ms * 1000
let_go(job, 'retrying')
schedule(job, due_us)
set(job, 'next_is_new_attempt', 1)
set(job, 'crashes', 0)
remember_failure(job, 'retrying', error)
change_state(job, 'retrying', { next_attempt_at = stamp(due_us), error = error })
save(job)
ring_bell()
return 'POSTPONED'
