-- wrk.lua: one request, told by the environment, and the result as one line of JSON.
--   BENCH_BODY  present: POST it; %d becomes a number never used before, so that each issue is another one.

local body = os.getenv("BENCH_BODY")
local threads = 0

function setup(thread)
  thread:set("id", threads)
  threads = threads + 1
end

if body then
  local count = 0
  wrk.headers["Content-Type"] = "application/json"
  function request()
    count = count + 1
    return wrk.format("POST", nil, nil, (body:gsub("%%d", string.format("%d.%d", id, count))))
  end
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    "BENCH {\"rps\":%.1f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"requests\":%d,\"refused\":%d,\"broken\":%d}\n",
    summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    summary.requests, e.status, e.connect + e.read + e.write + e.timeout))
end
