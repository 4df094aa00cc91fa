-- Deletes an ended job and all its data; with `soon`, one that goes on is deleted when it has ended.
local id, soon = ARGV[1], ARGV[2] == 'soon'
local job = open(id)
if not job then
  forget_deliveries(id)
  return 'GONE'
end
if TERMINAL[job.state] then
  erase(job)
  return 'FORGOTTEN'
end
if soon then
  forget_deliveries(id)
  redis.call('HSET', key(id, 'job'), 'unwanted', 1)
end
return 'NOT_TERMINAL'
