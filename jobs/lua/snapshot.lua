-- The whole story as of one update: record, parts, steps, and each part's pieces of text.
local id = ARGV[1]
local record = redis.call('HGETALL', key(id, 'job'))
if #record == 0 then
  return false
end
local texts = {}
for _, part in ipairs(split(redis.call('HGET', key(id, 'job'), 'part_names'))) do
  texts[#texts + 1] = part
  texts[#texts + 1] = redis.call('LRANGE', key(id, 'text:' .. part), 0, -1)
end
return { record, redis.call('HGETALL', key(id, 'parts')), redis.call('HGETALL', key(id, 'steps')), texts }
