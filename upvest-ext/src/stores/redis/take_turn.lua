-- One rate for all replicas. Takes a turn for a request, or reports a 429. All times are those of the server, in microseconds.
-- KEYS: the limit. ARGV: the maximum of requests per second; then the longest wait for a turn, or 'refused' and the pause after a 429.
-- Returns how long to wait for the turn, or -1 if that is longer than allowed. The turn is not taken then.
local SLACK = 10000      -- A request that is late by up to this much does not delay the next ones.
local HOLD = 10000000    -- How long the rate stays the same after a 429 before it grows again.
local LONGEST_PAUSE = 30000000
local DEAF = 1000000     -- Further 429s within this time do not lower the rate again.
local BACK, GROWTH, SLOWEST = 0.94, 1.01, 0.1
local KEEP = 3600000     -- How long an unused limit is remembered, in milliseconds.

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local most = tonumber(ARGV[1])
local state = redis.call('HMGET', KEYS[1], 'next', 'rate', 'held_until', 'refused')
local rate = math.min(tonumber(state[2]) or most, most)
-- Times in the future are from before the server's clock was set back.
local next_turn = math.max(tonumber(state[1]) or 0, now - SLACK)
if next_turn > now + LONGEST_PAUSE + 100 * 1000000 / rate then next_turn = now end
local held_until = math.min(tonumber(state[3]) or now, now + HOLD)
local refused = tonumber(state[4]) or 0
local wait = 0

if ARGV[2] == 'refused' then
  next_turn = math.max(next_turn, now + ARGV[3])
  if refused > now or now - refused >= DEAF then
    rate = math.max(rate * BACK, SLOWEST)
    held_until = now + HOLD
    redis.call('HSET', KEYS[1], 'refused', string.format('%.0f', now))
  end
else
  wait = math.max(next_turn - now, 0)
  if wait > tonumber(ARGV[2]) then return -1 end
  if now > held_until then
    rate = math.min(rate * math.pow(GROWTH, math.min(now - held_until, HOLD) / 1000000), most)
    held_until = now
  end
  next_turn = next_turn + 1000000 / rate
end
redis.call('HSET', KEYS[1], 'next', string.format('%.3f', next_turn), 'rate', string.format('%.6f', rate),
  'held_until', string.format('%.0f', held_until))
redis.call('PEXPIRE', KEYS[1], KEEP)
return math.ceil(wait)
