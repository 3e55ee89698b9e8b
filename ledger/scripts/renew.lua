-- KEYS  1 lease
-- ARGV  1 token; 2 ttl ms; 0 gives it back
-- Reply 1 when the lease was the token's

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then
  redis.call('DEL', KEYS[1])
else
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 1
