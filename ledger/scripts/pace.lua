-- Gives a message its turn under every limit it is bound by, or says when to ask again.
-- KEYS  a pace each
-- ARGV  1 now (ms), "" for the server's; 2 "1" when it is urgent; 3 "1" when it was told to come back now;
--       4 how long an urgent one waits for its turn (ms); then for each key the ms between two messages
-- Reply {1, ms until its turn} or {0, ms until it may ask again}
-- Fields `free` instant of the next turn; `shut`, `shut_urgent` nothing before it; `queue`, `urgent_queue` the
--       first place that nobody was told yet. Whoever is not urgent never takes a turn before it is there: so who
--       is urgent has the next one, however many wait.

local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local urgent, returns, patience = ARGV[2] == '1', ARGV[3] == '1', tonumber(ARGV[4])

local at, place = now, now
for _, key in ipairs(KEYS) do
  local held = redis.call('HMGET', key, 'free', 'shut', 'shut_urgent', 'queue', 'urgent_queue')
  for i = 1, 5 do held[i] = tonumber(held[i]) or 0 end
  at = math.max(at, held[1], urgent and held[3] or math.max(held[2], held[5]))
  place = math.max(place, urgent and held[5] or held[4])
end
if not returns and not urgent then at = math.max(at, place) end

local function keep(key, ...)
  redis.call('HSET', key, ...)
  redis.call('PEXPIRE', key, at - now + 600000)
end

if at <= now or (urgent and at - now <= patience) then
  for i, key in ipairs(KEYS) do
    local following = at + tonumber(ARGV[4 + i])
    local queue = tonumber(redis.call('HGET', key, 'queue')) or 0
    keep(key, 'free', following, 'queue', math.max(queue, following))
  end
  return {1, at - now}
end

if urgent and not returns then at = math.max(at, place) end
for i, key in ipairs(KEYS) do
  local following = at + tonumber(ARGV[4 + i])
  local name = urgent and 'urgent_queue' or 'queue'
  local known = tonumber(redis.call('HGET', key, name)) or 0
  if urgent or not returns then keep(key, name, math.max(known, following)) end
end
return {0, at - now}
