-- Nothing is sent under a pace for a while: its provider said so.
-- KEYS  a pace each
-- ARGV  1 ms; 2 ms for what is urgent
-- Reply 1

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, key in ipairs(KEYS) do
  for i, name in ipairs({'shut', 'shut_urgent'}) do
    local known = tonumber(redis.call('HGET', key, name)) or 0
    redis.call('HSET', key, name, math.max(known, now + tonumber(ARGV[i])))
  end
  redis.call('PEXPIRE', key, math.max(tonumber(ARGV[1]) + 600000, redis.call('PTTL', key)))
end
return 1
