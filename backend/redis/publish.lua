-- Appends a message to a room's log and publishes it.
-- KEYS: meta, stream, the idempotency key if there is one
-- ARGV: message, its anchor, entries to keep, time to live of the stream and of the
--       meta in ms (0: leave them), Pub/Sub channel, an epoch should the room have
--       none, time to live of the idempotency key in ms
-- Gives whether the key was seen before, and the position.
if KEYS[3] then
	local position = redis.call('GET', KEYS[3])
	if position then
		return {1, position}
	end
end
local meta = redis.call('HMGET', KEYS[1], 'e', 's', 'a')
local epoch, top, anchor = meta[1], meta[2] or '0', meta[3] or '0'
if not epoch then
	-- A log whose meta was lost must not come back under another epoch's offsets.
	epoch, top, anchor = ARGV[7], '0', '0'
	redis.call('HSET', KEYS[1], 'e', epoch)
	redis.call('DEL', KEYS[2])
end
local offset = string.format('%d', top + 1)
redis.call('HSET', KEYS[1], 's', offset, 'a', ARGV[2])
if ARGV[5] ~= '0' then
	redis.call('PEXPIRE', KEYS[1], ARGV[5])
end
local now = redis.call('TIME')
local id = offset .. '-' .. string.format('%d', now[1] * 1000 + math.floor(now[2] / 1000))
local added = redis.pcall('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], id, 'd', ARGV[1])
if type(added) == 'table' and added.err then
	redis.call('HSET', KEYS[1], 's', top, 'a', anchor)
	if not string.find(added.err, 'equal or smaller', 1, true) then
		return added -- Redis refuses it, and nothing has changed
	end
	-- The stream is ahead of the meta: begin anew.
	epoch, offset = ARGV[7], '1'
	redis.call('HSET', KEYS[1], 'e', epoch, 's', offset, 'a', ARGV[2])
	redis.call('DEL', KEYS[2])
	redis.call('XADD', KEYS[2], (string.gsub(id, '^%d+', offset)), 'd', ARGV[1])
end
if ARGV[4] ~= '0' then
	redis.call('PEXPIRE', KEYS[2], ARGV[4])
end
redis.call('PUBLISH', ARGV[6], 'h' .. epoch .. ':' .. offset .. ':' .. ARGV[1])
local position = epoch .. ':' .. offset .. ':' .. ARGV[2]
if KEYS[3] then
	redis.call('SET', KEYS[3], position, 'PX', ARGV[8])
end
return {0, position}
