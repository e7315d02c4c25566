-- Publishes a message that Redis does not store in its room and in a feed.
-- KEYS: the Pub/Sub channel of the room, which says where in a cluster the script runs
-- ARGV: message, the Pub/Sub channel of the feed, the channel of the message
-- Returns 0.
redis.call('PUBLISH', KEYS[1], ARGV[1])
redis.call('PUBLISH', ARGV[2], ARGV[3] .. '\n' .. ARGV[1])
return 0
