-- One record per request, BINARY, BYTES bytes. wrk -s produce.lua URL -- PATH BYTES
local body
function init(args)
  local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  local bytes = tonumber(args[2] or "100")
  local base64 = {}
  for i = 1, math.floor(bytes / 3) * 4 do base64[i] = alphabet:sub(1 + (i * 7) % 64, 1 + (i * 7) % 64) end
  if bytes % 3 == 1 then base64[#base64 + 1] = "QQ==" elseif bytes % 3 == 2 then base64[#base64 + 1] = "QUE=" end
  body = '{"value":{"type":"BINARY","data":"' .. table.concat(base64) .. '"}}'
  request_text = wrk.format("POST", args[1], {["Content-Type"] = "application/json"}, body)
end
function request() return request_text end
