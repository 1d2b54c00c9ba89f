-- Claims an event. Returns the number of the attempt, 0 if another caller has the claim, or -1 if the event was handled.
-- KEYS: the event. ARGV: the claim, how long it is valid, and how long the event is remembered, in milliseconds.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local event = redis.call('HMGET', KEYS[1], 'done', 'claimed_until')
if event[1] then return -1 end
if event[2] and tonumber(event[2]) > now then return 0 end
redis.call('HSET', KEYS[1], 'claim', ARGV[1], 'claimed_until', string.format('%.0f', now + ARGV[2]))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return redis.call('HINCRBY', KEYS[1], 'attempts', 1)
