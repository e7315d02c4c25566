-- Reads a room's log.
-- KEYS: meta, stream, secret
-- ARGV: entries that count, their time to live in ms (0: no limit), how many to read, a secret
--       if there is none; and, to read from an offset instead of the newest: its epoch, the
--       offset
-- Returns the position and the entries in order. From an offset, they start with the entry at
-- the offset, if the log has it. If the offset can not be in the log, they start with the
-- oldest entry.
local meta = redis.call('HMGET', KEYS[1], 'e', 's', 'a')
local epoch = meta[1]
if not epoch then
	local secret = readSecret(KEYS[3], ARGV[4])
	if isUnsettled(secret) then
		return unsettledReply()
	end
	return {emptyEpoch(secret, KEYS[1], now) .. ':0:0', {}}
end
local top, size, ttl, count = tonumber(meta[2] or '0'), tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local position = epoch .. ':' .. (meta[2] or '0') .. ':' .. (meta[3] or '0')

-- Drops expired entries. Ids end in the time of Redis, so each entry is dropped once.
if ttl > 0 then
	local oldest = now - ttl
	local step, keep = 1, nil
	repeat
		keep = nil
		local head = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', step)
		for _, entry in ipairs(head) do
			if tonumber(string.match(entry[1], '%-(%d+)$')) > oldest then
				keep = entry[1]
				break
			end
		end
		if not keep and #head > 0 then
			local last = string.match(head[#head][1], '^(%d+)')
			redis.call('XTRIM', KEYS[2], 'MINID', string.format('%d', tonumber(last) + 1))
		elseif keep and keep ~= head[1][1] then
			redis.call('XTRIM', KEYS[2], 'MINID', keep)
		end
		step = 100
	until keep or #head == 0
end

if count == 0 then
	return {position, {}}
end
if not ARGV[5] then
	local newest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', math.min(count, size))
	local entries = {}
	for i = #newest, 1, -1 do
		entries[#entries + 1] = newest[i]
	end
	return {position, entries}
end
-- Reads one entry before the oldest that counts, for its anchor.
local from, offset = math.max(top - size, 0), tonumber(ARGV[6])
if ARGV[5] == epoch and offset <= top then
	from = math.max(from, offset)
end
return {position, redis.call('XRANGE', KEYS[2], string.format('%d', from), '+', 'COUNT', count)}
