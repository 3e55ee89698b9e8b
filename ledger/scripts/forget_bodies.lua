-- Removes request bodies that are older than their sources' are kept, of the next so many.
-- KEYS  1 raw bodies
-- ARGV  1 the stream id to begin after, or "-"; 2 how many are looked at; 3 instant (ms) before which a body is too old;
--       then pairs: a source, and its own such instant
-- Reply {the last one looked at, or "" when there are no more; how many were removed}

local own = {}
for i = 4, #ARGV, 2 do own[ARGV[i]] = tonumber(ARGV[i + 1]) end

local start = ARGV[1] == '-' and '-' or '(' .. ARGV[1]
local rows = redis.call('XRANGE', KEYS[1], start, '+', 'COUNT', ARGV[2])
local last, removed = '', 0
for _, row in ipairs(rows) do
  local id, source = row[1], ''
  for i = 1, #row[2], 2 do
    if row[2][i] == 's' then source = row[2][i + 1] end
  end
  if tonumber(string.match(id, '^%d+')) < (own[source] or tonumber(ARGV[3])) then
    removed = removed + redis.call('XDEL', KEYS[1], id)
  end
  last = id
end
if #rows < tonumber(ARGV[2]) then last = '' end
return {last, removed}
