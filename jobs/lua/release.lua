-- Hands a job back unfinished, for the next worker at once: its old place in the queue, the same attempt.
local id, token = ARGV[1], ARGV[2]
local job = open(id)
if not job or redis.call('GET', ARQ_IN_PROGRESS .. id) ~= token then
  return 'FENCED'
end
if job.state == 'cancelling' then
  finish(job, 'cancelled', '', '')
  return 'RELEASED'
end
let_go(job, 'handed-back')
redis.call('ZADD', QUEUE, redis.call('HGET', key(id, 'job'), 'score'), id)
set(job, 'came_back', 'handed-back')
keep_time_spent(job)
change_state(job, 'queued', { reason = 'handed-back' })
save(job)
ring_bell()
return 'RELEASED'
