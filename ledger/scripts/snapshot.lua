-- Reads every key at one instant; of streams only how far they reach, for what is in them never changes.
-- ARGV  1 pattern; 2 pattern of keys to leave out
-- Reply {{key, type, instant (ms) it expires at or 0, value}, ...}; a stream's value is its last id

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function value_of(key, type)
  if type == 'string' then return redis.call('GET', key) end
  if type == 'hash' then return redis.call('HGETALL', key) end
  if type == 'list' then return redis.call('LRANGE', key, 0, -1) end
  if type == 'set' then return redis.call('SMEMBERS', key) end
  if type == 'zset' then return redis.call('ZRANGE', key, 0, -1, 'WITHSCORES') end
  local info = redis.call('XINFO', 'STREAM', key)
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then return info[i + 1] end
  end
end

local function scan(pattern, each)
  local at = '0'
  repeat
    local page = redis.call('SCAN', at, 'MATCH', pattern, 'COUNT', 1000)
    at = page[1]
    for _, key in ipairs(page[2]) do each(key) end
  until at == '0'
end

local out, known = {}, {}
scan(ARGV[2], function(key) known[key] = true end)
scan(ARGV[1], function(key)
  if known[key] then return end
  known[key] = true
  local type = redis.call('TYPE', key).ok
  local left = redis.call('PTTL', key)
  -- A whole number as text: the reply would cut it off at 53 bits otherwise, and %d is exact.
  local expires = left >= 0 and string.format('%d', now + left) or '0'
  out[#out + 1] = {key, type, expires, value_of(key, type)}
end)
return out
