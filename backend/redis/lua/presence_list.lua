-- Reads members in the order of their keys.
-- KEYS: looks and index of the room's members; the members who left, with index and expiry
-- ARGV: the key after which to start (empty: at the first), how many, 1 to read the members who
--       left as well
-- Returns how many members there are, then keys and looks in turn; then keys and looks of those
-- who left.
local from = '-'
if ARGV[1] ~= '' then
	from = '(' .. ARGV[1]
end
local function readPage(index, looks)
	local pairs = {}
	local keys = redis.call('ZRANGEBYLEX', index, from, '+', 'LIMIT', 0, ARGV[2])
	for i = 1, #keys, 500 do
		local part = {}
		for k = i, math.min(i + 499, #keys) do
			part[#part + 1] = keys[k]
		end
		for k, look in ipairs(redis.call('HMGET', looks, unpack(part))) do
			pairs[#pairs + 1] = part[k]
			pairs[#pairs + 1] = look or ''
		end
	end
	return pairs
end
local left = {}
if ARGV[3] == '1' then
	local clock = redis.call('TIME')
	local now = string.format('%d', clock[1] * 1000 + math.floor(clock[2] / 1000))
	repeat
		local over = redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', now, 'LIMIT', 0, 500)
		for _, key in ipairs(over) do
			redis.call('HDEL', KEYS[3], key)
			redis.call('ZREM', KEYS[4], key)
			redis.call('ZREM', KEYS[5], key)
		end
	until #over == 0
	left = readPage(KEYS[4], KEYS[3])
end
return {redis.call('ZCARD', KEYS[2]), readPage(KEYS[2], KEYS[1]), left}
