-- Publishes a message of a room without history once for each idempotency key.
-- KEYS: the idempotency key
-- ARGV: message, Pub/Sub channel, time to live of the key in ms
-- Gives whether the key was seen before.
if not redis.call('SET', KEYS[1], '', 'NX', 'PX', ARGV[3]) then
	return 1
end
redis.call('PUBLISH', ARGV[2], ARGV[1])
return 0
