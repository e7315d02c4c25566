-- Ends a room's log, because messages without a position follow. The next log gets another
-- epoch.
-- KEYS: meta, stream
-- ARGV: the epoch of the next log, for how long in ms to keep it
local top = redis.call('HGET', KEYS[1], 's')
local had = redis.call('DEL', KEYS[2]) == 1
if had or (top or '0') ~= '0' then
	redis.call('HSET', KEYS[1], 'e', ARGV[1], 's', '0', 'a', '0')
	redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 1
