-- Keeps a batch of requests: deduplicates their events, appends the new ones, stores dead letters.
-- KEYS  1-3 lanes control, urgent, bulk; 4 raw; 5 dead; 6 dead index; 7 dead waiting; 8 dead seen
-- ARGV  per request: source, body, headers, remember ms, events n, dead m,
--       n * (lane 1-3, dedup key or "", entry), m * (id, record, instant)
-- Reply per request: {event ids, dead letter ids}

local INITIAL = {'c', 'u', 'b'}
local argv, at = ARGV, 1
local replies = {}

while at <= #argv do
  local source, body, headers, remember = argv[at], argv[at + 1], argv[at + 2], argv[at + 3]
  local events, dead = tonumber(argv[at + 4]), tonumber(argv[at + 5])
  at = at + 6

  local accepted, raw = {}, nil
  for i = 1, events do
    local lane, key = tonumber(argv[at]), argv[at + 1]
    local id = key ~= '' and redis.call('GET', key)
    if not id then
      raw = raw or redis.call('XADD', KEYS[4], '*', 'b', body, 'h', headers, 's', source)
      id = INITIAL[lane] .. redis.call('XADD', KEYS[lane], '*', 'e', argv[at + 2], 'r', raw)
      -- Only now: should the append fail, no key may claim that it happened.
      if key ~= '' then redis.call('SET', key, id, 'PX', remember) end
    end
    accepted[i] = id
    at = at + 3
  end

  local buried = {}
  for i = 1, dead do
    local id = argv[at]
    if redis.call('HSETNX', KEYS[5], id, argv[at + 1]) == 1 then
      redis.call('ZADD', KEYS[6], argv[at + 2], id)
      redis.call('SADD', KEYS[7], id)
    end
    redis.call('HINCRBY', KEYS[8], id, 1)
    buried[i] = id
    at = at + 3
  end
  replies[#replies + 1] = {accepted, buried}
end

return replies
