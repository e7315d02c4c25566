-- Gives a room whose log went back in time a new epoch. Its messages and offsets
-- stay: who knew the old epoch must not believe in any of them.
-- KEYS: meta
-- ARGV: the epoch that is over, the new one
if redis.call('HGET', KEYS[1], 'e') == ARGV[1] then
	redis.call('HSET', KEYS[1], 'e', ARGV[2])
	return 1
end
return 0
