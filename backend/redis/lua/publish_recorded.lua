-- Publishes a message without position and key, and records it for the app.
-- ARGV: message, Pub/Sub channel; with a feed its Pub/Sub channel and the channel of the message
redis.call('PUBLISH', ARGV[2], ARGV[1])
if ARGV[3] then
	redis.call('PUBLISH', ARGV[3], ARGV[4] .. '\n' .. ARGV[1])
end
recordEvent('message', recordWith, ARGV[1])
return 0
