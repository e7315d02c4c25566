-- Gives a room whose log went back in time a new epoch. Its messages and offsets
-- stay: who knew the old epoch must not believe in any of them.
-- KEYS: meta
-- ARGV: the epoch that is over, the new one, for how long in ms to keep it if nothing is
--       left of the log
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
