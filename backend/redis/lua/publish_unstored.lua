-- Publishes a message of a room without history once for each idempotency key.
-- KEYS: those of keys.lua
-- ARGV: message, Pub/Sub channel, the idempotency key, those of keys.lua, the digest of
--       the message
-- Gives what was remembered of the key: the digest of its first message, the position of
-- one in the history, or an empty text from a node that knows no digests. 0: nothing was.
firstKey, firstArg = 1, 4
local first = recall(ARGV[3])
if first then
	return first
end
rememberResult(ARGV[3], ARGV[7])
redis.call('PUBLISH', ARGV[2], ARGV[1])
return 0
