-- Which of some jobs are not at the place any more that is given for each, or are gone: a list of their ids.
-- ARGV: id, cursor, and so on in pairs.
local moved = {}
for at = 1, #ARGV, 2 do
  local held = redis.call('HMGET', key(ARGV[at], 'job'), 'us', 'seq')
  if not held[1] or held[1] .. '-' .. held[2] ~= ARGV[at + 1] then
    moved[#moved + 1] = ARGV[at]
  end
end
return moved
