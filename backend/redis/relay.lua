-- Publishes a message of a room without history once for each idempotency key.
-- KEYS: those of keys.lua
-- ARGV: message, Pub/Sub channel, the idempotency key, those of keys.lua
-- Gives whether the key was seen before.
firstKey, firstArg = 1, 4
if said(ARGV[3]) then
	return 1
end
remember(ARGV[3], '')
redis.call('PUBLISH', ARGV[2], ARGV[1])
return 0
