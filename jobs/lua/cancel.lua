-- Cancels a job: at once where no worker holds it, else asks the one that does.
local id = ARGV[1]
local job = open(id)
if not job then
  return 'GONE'
end
if TERMINAL[job.state] or job.state == 'cancelling' then
  return 'UNCHANGED'
end
if job.state == 'running' then
  change_state(job, 'cancelling', {})
  save(job)
  redis.call('PUBLISH', CANCELS, id)
  return 'CANCELLING'
end
finish(job, 'cancelled', '', '')
return 'CANCELLED'
