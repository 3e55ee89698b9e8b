-- Claims one attempt of an effect for one worker, and says so in the log.
-- KEYS  1 outbox; 2 claims; 3 control lane
-- ARGV  1 effect id; 2 attempt; 3 "<attempt> <worker> <ms>"; 4 the Claimed entry
-- Reply the effect; false when it is withdrawn, superseded or claimed

local effect = redis.call('HGET', KEYS[1], ARGV[1])
if not effect then return false end
local attempt = tonumber(ARGV[2])
if cjson.decode(effect).attempt ~= attempt then return false end
local claim = redis.call('HGET', KEYS[2], ARGV[1])
if claim and tonumber(string.match(claim, '^%d+')) >= attempt then return false end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
redis.call('XADD', KEYS[3], '*', 'e', ARGV[4])
return effect
