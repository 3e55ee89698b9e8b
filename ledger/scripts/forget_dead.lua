-- Deletes a settled dead letter that the archive has, unless it has changed or waits again.
-- KEYS  1 dead; 2 dead index; 3 dead waiting; 4 dead seen
-- ARGV  1 id; 2 its record as it was copied
-- Reply 1 when it was deleted

if redis.call('SISMEMBER', KEYS[3], ARGV[1]) == 1 then return 0 end
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[4], ARGV[1])
return 1
