-- Sends a question to all nodes.
-- KEYS: nodes by the end of their announcement
-- ARGV: Pub/Sub channel of questions, the question as nodes receive it
-- Returns the nodes that should reply, perhaps with the one that asks.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('PUBLISH', ARGV[1], ARGV[2])
return redis.call('ZRANGEBYSCORE', KEYS[1], string.format('(%d', now), '+inf')
