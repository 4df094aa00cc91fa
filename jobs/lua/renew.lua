-- Renews leases that are still held; returns the jobs whose lease was lost, and those that are to be cancelled.
local lease_ms = tonumber(ARGV[1])
local until_ms = int(now_us() / 1000 + lease_ms)
local lost, cancelling = {}, {}
for index = 2, #ARGV, 2 do
  local id, token = ARGV[index], ARGV[index + 1]
  if redis.call('GET', ARQ_IN_PROGRESS .. id) == token then
    redis.call('PEXPIRE', ARQ_IN_PROGRESS .. id, lease_ms)
    redis.call('ZADD', LEASED, 'XX', until_ms, id)
    local held = redis.call('HMGET', key(id, 'job'), 'state', 'kind', 'subject')
    for _, scope in ipairs(scopes({ kind = held[2] or '', subject = held[3] or '' })) do
      redis.call('ZADD', SLOTS .. scope, 'XX', until_ms, id)
    end
    if held[1] == 'cancelling' then
      cancelling[#cancelling + 1] = id
    end
  else
    lost[#lost + 1] = id
  end
end
return { lost, cancelling }
