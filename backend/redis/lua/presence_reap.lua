-- Makes a dead node leave a room.
-- ARGV: …, how many members at most
-- Returns how many members it still holds.
for _, key in ipairs(redis.call('SRANDMEMBER', held, ARGV[firstArg])) do
	leaveMember(key, 0)
	redis.call('SREM', held, key)
end
publishEvents()
redis.call('DEL', latest)
return redis.call('SCARD', held)
