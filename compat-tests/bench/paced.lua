-- Each connection asks once every MS milliseconds, so that latency is that of a server with time to spare.
-- wrk -s paced.lua URL -- MS
local pause
function init(args)
  pause = tonumber(args[1])
end
function delay() return pause end
