-- Gives a room a new epoch, because its log went back in time. Its messages and offsets stay,
-- but clients that know the old epoch must trust none of them.
-- KEYS: meta
-- ARGV: the old epoch, the new one, for how long in ms to keep it if nothing is left of the log
local epoch = redis.call('HGET', KEYS[1], 'e')
if epoch and epoch ~= ARGV[1] then
	return 0
end
if epoch then
	redis.call('HSET', KEYS[1], 'e', ARGV[2])
else
	redis.call('HSET', KEYS[1], 'e', ARGV[2], 's', '0', 'a', '0')
	redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return 1
