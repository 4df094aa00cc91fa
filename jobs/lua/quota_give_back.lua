-- Gives seats back before their lease is over. Each is the name of its quota, and who held it.
for index = 1, #ARGV, 2 do
  redis.call('ZREM', ARGV[index], ARGV[index + 1])
end
