-- Appends several entries, all or none.
-- KEYS  a lane per entry
-- ARGV  an entry per lane
-- Reply stream ids

local ids = {}
for i, lane in ipairs(KEYS) do
  ids[i] = redis.call('XADD', lane, '*', 'e', ARGV[i])
end
return ids
