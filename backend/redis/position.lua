-- Reads where a room is, and begins its log if there is none.
-- KEYS: meta, stream
-- ARGV: an epoch should the room have none, time to live of the meta in ms (0: leave
--       it)
-- Gives the position.
local meta = redis.call('HMGET', KEYS[1], 'e', 's', 'a')
if not meta[1] then
	redis.call('HSET', KEYS[1], 'e', ARGV[1], 's', '0', 'a', '0') -- first, because a full Redis refuses it
	redis.call('DEL', KEYS[2])
	meta = {ARGV[1]}
end
if ARGV[2] ~= '0' then
	redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return meta[1] .. ':' .. (meta[2] or '0') .. ':' .. (meta[3] or '0')
