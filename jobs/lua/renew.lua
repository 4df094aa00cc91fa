-- Renews leases that are still held; returns the jobs whose lease was lost, and those that are to be cancelled.
local lease_ms = tonumber(ARGV[1])
local until_ms = int(now_us() / 1000 + lease_ms)
local lost, cancelling = {}, {}
for index = 2, #ARGV, 2 do
  local id, token = ARGV[index], ARGV[index + 1]
  if redis.call('GET', ARQ_IN_PROGRESS .. id) == token then
    redis.call('PEXPIRE', ARQ_IN_PROGRESS .. id, lease_ms)
    redis.call('ZADD', QUEUE, 'XX', until_ms, id)
    if redis.call('HGET', key(id, 'job'), 'state') == 'cancelling' then
      cancelling[#cancelling + 1] = id
    end
  else
    lost[#lost + 1] = id
  end
end
return { lost, cancelling }
