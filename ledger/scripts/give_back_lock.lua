-- KEYS  1 lock; 2 running; 3 changed
-- ARGV  1 run; 2 token
-- Reply 1 when the lock was still the run's under this token

if redis.call('HGET', KEYS[1], 'token') ~= ARGV[2] then return 0 end
local time = redis.call('TIME')
redis.call('HSET', KEYS[3], 'run', ARGV[1], 'at', time[1] * 1000 + math.floor(time[2] / 1000))
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
