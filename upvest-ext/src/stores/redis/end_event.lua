-- Ends a claim if it is still the event's current one, or if the event is no longer remembered.
-- KEYS: the event. ARGV: the claim, 'done' or 'failed', and how long the event is remembered, in milliseconds.
local claim = redis.call('HGET', KEYS[1], 'claim')
if claim ~= ARGV[1] and redis.call('EXISTS', KEYS[1]) == 1 then return end
redis.call('HDEL', KEYS[1], 'claim', 'claimed_until')
if ARGV[2] == 'done' then redis.call('HSET', KEYS[1], 'done', 1) end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
