-- Adds what a chat said to its conversation, for whoever holds the chat's lease; sent again, it takes the place of
-- what the chat said before. A round is named by when its job was submitted, so that names are in order.
local id, token, list, name = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local conversation, kept_ms, round = ARGV[5], ARGV[6], ARGV[7]
local most_rounds, most_bytes = tonumber(ARGV[8]), tonumber(ARGV[9])
local SWEPT = 10 -- the oldest of the list that are looked at, and forgotten where they have expired
local prefix = string.sub(conversation, 1, #conversation - #name)

local function remember(key_name)
  redis.call('PEXPIRE', key_name, kept_ms, 'NX')
  redis.call('PEXPIRE', key_name, kept_ms, 'GT')
end

if redis.call('GET', ARQ_IN_PROGRESS .. id) ~= token then
  return 'FENCED'
end
local submitted_us, unwanted = unpack(redis.call('HMGET', key(id, 'job'), 'created_us', 'unwanted'))
if unwanted then
  return 'UNWANTED' -- its subject is being forgotten
end

local function drop_the_oldest()
  local names, bytes = redis.call('HKEYS', conversation), 0
  table.sort(names)
  for index = #names, 1, -1 do
    bytes = bytes + redis.call('HSTRLEN', conversation, names[index])
    if index < #names and (bytes > most_bytes or #names - index >= most_rounds) then
      redis.call('HDEL', conversation, unpack(names, 1, index))
      return
    end
  end
end

redis.call('HSET', conversation, submitted_us .. '-' .. id, round)
drop_the_oldest()
redis.call('PEXPIRE', conversation, kept_ms)
redis.call('ZADD', list, int(math.floor(now_us() / 1000)), name)
remember(list)
for _, old in ipairs(redis.call('ZRANGE', list, 0, SWEPT - 1)) do
  if redis.call('EXISTS', prefix .. old) == 0 then
    redis.call('ZREM', list, old)
  end
end
return 'ADDED'
