-- wrk.lua: one request, told by the environment, and the result as one line of JSON.
--   BENCH_BODY  present: POST it; BENCH_PATH  present: ask for it instead of the URL's path.
-- In both, %d becomes a number never used before, so that each request is another one.

local body = os.getenv("BENCH_BODY")
local path = os.getenv("BENCH_PATH")
local threads = 0

function setup(thread)
  thread:set("id", threads)
  threads = threads + 1
end

local count = 0
local function another(text)
  return text and text:gsub("%%d", string.format("%d.%d", id, count)) or nil
end

if body then wrk.headers["Content-Type"] = "application/json" end
if body or path then
  function request()
    count = count + 1
    return wrk.format(body and "POST" or "GET", another(path), nil, another(body))
  end
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    "BENCH {\"rps\":%.1f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"requests\":%d,\"refused\":%d,\"broken\":%d}\n",
    summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    summary.requests, e.status, e.connect + e.read + e.write + e.timeout))
end
