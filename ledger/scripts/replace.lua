-- Replaces a hash's field unless somebody else has changed it since it was read.
-- KEYS  1 hash; 2 set to take the field out of, or put it into; 3 list of the fields that were replaced, if one is kept
-- ARGV  1 field; 2 as it was read; 3 as it shall be; 4 "keep", "out" or "in"; 5 ms for which that list is kept
-- Reply 1 when it was replaced

if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
if ARGV[4] == 'out' then redis.call('SREM', KEYS[2], ARGV[1]) end
if ARGV[4] == 'in' then redis.call('SADD', KEYS[2], ARGV[1]) end
if KEYS[3] then
    redis.call('RPUSH', KEYS[3], ARGV[1])
    redis.call('PEXPIRE', KEYS[3], ARGV[5])
end
return 1
