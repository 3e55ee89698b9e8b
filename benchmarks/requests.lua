-- wrk script: sends prepared raw requests from a file, one after the other, each once.
-- The file is a sequence of "<8 digits: length><request>". Running out of it is said, never hidden.

local file

function init(args)
  file = assert(io.open(args[1], "rb"))
end

function request()
  local size = file:read(8)
  if not size then
    ran_dry = true
    file:seek("set", 0)
    size = file:read(8)
  end
  return file:read(tonumber(size))
end

function response(status)
  if status ~= 202 and status ~= 200 then refused = (refused or 0) + 1 end
end

function setup(thread)
  threads = threads or {}
  table.insert(threads, thread)
end

function done(summary, latency)
  local bad, ran_dry = 0, false
  for _, thread in ipairs(threads) do
    bad = bad + (thread:get("refused") or 0)
    ran_dry = ran_dry or thread:get("ran_dry") == true
  end
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"sent": %d, "seconds": %.3f, "refused": %d, "broken": %d, "p50_ms": %.3f, "p99_ms": %.3f}\n',
    summary.requests, summary.duration / 1e6, bad,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
