-- Cancels a job and its children: at once where no worker holds it, else asks the one that does.
local function cancel(id)
  local job = open(id)
  if not job then
    return 'GONE'
  end
  if TERMINAL[job.state] or job.state == 'cancelling' then
    return 'UNCHANGED'
  end
  local children = redis.call('SMEMBERS', key(id, 'children'))
  if job.state == 'running' and redis.call('EXISTS', ARQ_IN_PROGRESS .. id) == 1 then
    change_state(job, 'cancelling', {})
    save(job)
    redis.call('PUBLISH', CANCELS, id)
  else
    finish(job, 'cancelled', '', '')
  end
  for _, child in ipairs(children) do
    cancel(child)
  end
  return job.state == 'cancelling' and 'CANCELLING' or 'CANCELLED'
end

return cancel(ARGV[1])
