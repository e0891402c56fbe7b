-- What the tills of the benchmark send, run by wrk in a thread for each address: a purchase of three lines, its receipt
-- number never used before. After `--` come the name of the run (part of every receipt number), the business date, the
-- purchases in one request (0: one, as plain JSON), the file with the customers' ids, and the port of each thread.

local LINES = '"currency":"EUR","lines":['
  .. '{"line_id":"1","sku":"shoes-42","category":"shoes","quantity":1,"net_minor":4999},'
  .. '{"line_id":"2","sku":"socks-3","category":"clothes","quantity":1,"net_minor":1290},'
  .. '{"line_id":"3","sku":"laces-1","category":null,"quantity":1,"net_minor":350}]}'

local purchase, batch
local customers, count = {}, 0
local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set("place", threads)
end

function init(args)
  wrk.thread.addr = wrk.lookup(wrk.host, args[4 + place])[1]
  purchase = '{"store":"berlin-1","till":"1","business_date":"' .. args[2]
    .. '","receipt_no":"' .. args[1] .. '-' .. place .. '-%d","customer":{"id":"%s"},' .. LINES
  batch = tonumber(args[3])
  for id in io.lines(args[4]) do customers[#customers + 1] = id end
  -- The run's name and the thread are in it: those that draw the same customers would meet on each of them.
  local seed = os.time() + place
  for at = 1, #args[1] do seed = (seed * 31 + args[1]:byte(at)) % 2147483647 end
  math.randomseed(seed)
  wrk.method = "POST"
end

local function next_purchase()
  count = count + 1
  return purchase:format(count, customers[math.random(#customers)])
end

function request()
  if batch == 0 then return wrk.format(nil, nil, nil, next_purchase()) end
  local lines = {}
  for place = 1, batch do lines[place] = next_purchase() end
  return wrk.format(nil, nil, nil, table.concat(lines, "\n"))
end

-- The last line of the output is for the benchmark; times are in microseconds.
function done(summary, latency)
  local errors = summary.errors
  print(('{"requests":%d,"status":%d,"broken":%d,"timeout":%d,"duration":%d,"p50":%d,"p99":%d}'):format(
    summary.requests, errors.status, errors.connect + errors.read + errors.write, errors.timeout,
    summary.duration, latency:percentile(50), latency:percentile(99)))
end
