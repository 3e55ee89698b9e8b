-- Takes the lease when it is free, and then moves the fence; keeps it when it is the asker's already.
-- KEYS  1 lease; 2 fence
-- ARGV  1 token; 2 ttl ms
-- Reply the fence, or false while somebody else holds it

local holder = redis.call('GET', KEYS[1])
if holder == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return tonumber(redis.call('GET', KEYS[2]))
end
if holder then return false end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return redis.call('INCR', KEYS[2])
