-- Appends a message to a room's log and publishes it.
-- KEYS: meta, stream, secret; with an idempotency key also those of idempotency_keys.lua
-- ARGV: message, its anchor, entries to keep, time to live of the stream and of the meta in ms,
--       Pub/Sub channel, a new epoch or secret if one is needed, 1 if the times to live were
--       set a short while ago; with a feed its Pub/Sub channel and the channel of the message;
--       with an idempotency key two texts for the feed, empty without one, and then the key and
--       those of idempotency_keys.lua
-- Returns 0 and the position. If the key was seen before, it returns 1, the remembered result,
-- and the entry of the message if it is still in the log.
if KEYS[4] then
	firstKey, firstArg = 4, 12
	local first = recall(ARGV[11])
	if first then
		local epoch, offset = string.match(first, '^([^:]*):(%d+):')
		local entry = epoch and redis.call('HGET', KEYS[1], 'e') == epoch and redis.call('XRANGE', KEYS[2], offset, offset)[1]
		return {1, first, entry or false}
	end
end
local meta = redis.call('HMGET', KEYS[1], 'e', 's', 'a')
local epoch, top, anchor = meta[1], meta[2] or '0', meta[3] or '0'
if not epoch then
	local secret = readSecret(KEYS[3], ARGV[7])
	epoch, top, anchor = emptyEpoch(secret, KEYS[1], now), '0', '0'
	if redis.call('DEL', KEYS[2]) == 1 then
		-- The meta was lost, but not the log. The log must not continue under the old epoch.
		epoch = ARGV[7]
	elseif isUnsettled(secret) then
		return unsettledReply()
	end
	redis.call('HSET', KEYS[1], 'e', epoch)
end
local offset = string.format('%d', top + 1)
redis.call('HSET', KEYS[1], 's', offset, 'a', ARGV[2])
local expire = ARGV[8] ~= '1' or top == '0'
if expire then
	redis.call('PEXPIRE', KEYS[1], ARGV[5])
end
local id = offset .. '-' .. string.format('%d', now)
local added = redis.pcall('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], id, 'd', ARGV[1])
if type(added) == 'table' and added.err then
	redis.call('HSET', KEYS[1], 's', top, 'a', anchor)
	if not string.find(added.err, 'equal or smaller', 1, true) then
		return added -- Redis rejects it, and nothing has changed
	end
	-- The stream is ahead of the meta: start a new log.
	epoch, offset = ARGV[7], '1'
	redis.call('HSET', KEYS[1], 'e', epoch, 's', offset, 'a', ARGV[2])
	redis.call('DEL', KEYS[2])
	redis.call('XADD', KEYS[2], (string.gsub(id, '^%d+', offset)), 'd', ARGV[1])
end
if expire then
	redis.call('PEXPIRE', KEYS[2], ARGV[4])
end
local frame = 'h' .. epoch .. ':' .. offset .. ':' .. ARGV[1]
redis.call('PUBLISH', ARGV[6], frame)
if ARGV[9] and ARGV[9] ~= '' then
	redis.call('PUBLISH', ARGV[9], ARGV[10] .. '\n' .. frame)
end
if recordEvent then
	recordEvent('message', recordWith, frame)
end
local position = epoch .. ':' .. offset .. ':' .. ARGV[2]
if KEYS[4] then
	rememberResult(ARGV[11], position)
end
return {0, position}
