-- Registers schemas. wrk -s register.lua URL -- known|new RUN
-- known: always the same text under one subject; new: a new text under a new subject each time.
local mode, run, count
local threads = 0
function setup(thread)
  thread:set("thread_number", threads)
  threads = threads + 1
end
function init(args)
  mode, run, count = args[1], args[2], 0
end
local function post(subject, field)
  local schema = 'syntax = \\"proto3\\"; package bench; message Order { string id = 1; int64 ' .. field ..
    ' = 2; repeated Line lines = 3; map<string, string> labels = 4; message Line { string sku = 1; int32 quantity = 2; } }'
  return wrk.format("POST", "/subjects/" .. subject .. "/versions",
    {["Content-Type"] = "application/vnd.schemaregistry.v1+json"},
    '{"schemaType":"PROTOBUF","schema":"' .. schema .. '"}')
end
function request()
  if mode == "known" then return post("bench-known-value", "total") end
  count = count + 1
  local name = run .. "_" .. thread_number .. "_" .. count
  return post("bench-" .. name .. "-value", "f_" .. name)
end
function done(summary, latency, requests)
  io.write(string.format("errors=%d\n", summary.errors.status))
end
