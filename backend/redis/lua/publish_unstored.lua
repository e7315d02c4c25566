-- Publishes a message without a position, once for each idempotency key.
-- KEYS: those of idempotency_keys.lua
-- ARGV: message, Pub/Sub channel, the idempotency key, those of idempotency_keys.lua, the
--       digest of the message; with a feed its Pub/Sub channel and the channel of the message
-- Returns 0 if the key was not seen before. Otherwise it returns the remembered result: the
-- digest of the first message, the position of a message in the history, or an empty text from
-- a node that knows no digests.
firstKey, firstArg = 1, 4
local first = recall(ARGV[3])
if first then
	return first
end
rememberResult(ARGV[3], ARGV[7])
redis.call('PUBLISH', ARGV[2], ARGV[1])
if ARGV[8] then
	redis.call('PUBLISH', ARGV[8], ARGV[9] .. '\n' .. ARGV[1])
end
if recordEvent then
	recordEvent('message', recordWith, ARGV[1])
end
return 0
