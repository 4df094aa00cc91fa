-- Renews the lease of seats. Each is the name of its quota, and who holds it.
local lease_ms = tonumber(ARGV[1])
local until_ms = int(now_us() / 1000 + lease_ms)
for index = 2, #ARGV, 2 do
  redis.call('ZADD', ARGV[index], until_ms, ARGV[index + 1])
  redis.call('PEXPIRE', ARGV[index], lease_ms)
end
