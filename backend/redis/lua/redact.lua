-- Replaces one entry of a room's log. Its id stays, and with it the time when it expires.
-- KEYS: meta, stream
-- ARGV: epoch, offset, the new message, time to live of the stream in ms
-- Returns 1, or 0 if the log does not have the entry.
if redis.call('HGET', KEYS[1], 'e') ~= ARGV[1] then
	return 0
end
local old = redis.call('XRANGE', KEYS[2], ARGV[2], ARGV[2])[1]
if not old then
	return 0
end
-- A stream takes no entry before its last one, so it is written again as a whole.
local entries = redis.call('XRANGE', KEYS[2], '-', '+')
redis.call('DEL', KEYS[2])
for _, entry in ipairs(entries) do
	local text = entry[1] == old[1] and ARGV[3] or entry[2][2]
	redis.call('XADD', KEYS[2], entry[1], 'd', text)
end
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return 1
