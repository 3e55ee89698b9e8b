-- Locks a target for a run, within the cap on runs that mutate at the same time.
-- KEYS  1 lock; 2 running; 3 fencing; 4 changed
-- ARGV  1 run; 2 ttl ms; 3 cap; 4 ms since when it has looked at the target, 0 when that does not matter
-- Reply {1, token}, {0, run that has it}, {-1, runs under way} or {-2, run that may have changed it since}

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)

local owner = redis.call('HGET', KEYS[1], 'run')
if owner and owner ~= ARGV[1] then return {0, owner} end
local last = redis.call('HMGET', KEYS[4], 'run', 'at')
if tonumber(ARGV[4]) > 0 and last[1] and last[1] ~= ARGV[1] and tonumber(last[2]) >= tonumber(ARGV[4]) then
  return {-2, last[1]}
end
local running = redis.call('ZCARD', KEYS[2])
if not redis.call('ZSCORE', KEYS[2], ARGV[1]) and running >= tonumber(ARGV[3]) then
  return {-1, tostring(running)}
end
if not owner then
  redis.call('HSET', KEYS[1], 'run', ARGV[1], 'token', redis.call('INCR', KEYS[3]))
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('ZADD', KEYS[2], now + ARGV[2], ARGV[1])
redis.call('HSET', KEYS[4], 'run', ARGV[1], 'at', now + ARGV[2])
redis.call('PEXPIRE', KEYS[4], ARGV[2] + 86400000)
return {1, redis.call('HGET', KEYS[1], 'token')}
