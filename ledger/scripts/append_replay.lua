-- Appends a replay once, however often it is asked for.
-- KEYS  1 lane; 2 replayed
-- ARGV  1 lane's initial; 2 entry; 3 replay id; 4 raw body's id or ""
-- Reply position of the entry

local known = redis.call('GET', KEYS[2])
if known then return known end
local id
if ARGV[4] ~= '' then
  id = redis.call('XADD', KEYS[1], '*', 'e', ARGV[2], 'i', ARGV[3], 'r', ARGV[4])
else
  id = redis.call('XADD', KEYS[1], '*', 'e', ARGV[2], 'i', ARGV[3])
end
local position = ARGV[1] .. id
redis.call('SET', KEYS[2], position)
return position
