-- Turns due timers into entries, each exactly once.
-- KEYS  1 timers; 2 control lane
-- ARGV  1 now; 2 at most
-- Reply how many

local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'WITHSCORES', 'LIMIT', 0, ARGV[2])
for i = 1, #due, 2 do
  local timer = string.gsub(cjson.encode(due[i]), '\\/', '/')
  local at = string.format('%.0f', due[i + 1])
  local entry = '{"type":"timer","at":' .. ARGV[1] .. ',"timer":' .. timer .. ',"due_at":' .. at .. '}'
  redis.call('XADD', KEYS[2], '*', 'e', entry)
  redis.call('ZREM', KEYS[1], due[i])
end
return #due / 2
