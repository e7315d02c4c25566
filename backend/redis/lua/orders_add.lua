-- Sends an order to all nodes.
-- KEYS: orders; standing orders by name; their names by the time they end; nodes by the end of
--       their announcement
-- ARGV: node, number of the order on this node, order, Pub/Sub channel, how many orders to
--       keep, for how long in ms; and for a standing order: its name (empty: it is none), after
--       how long it ends in ms (0: never), how many standing orders to keep, the names of the
--       standing orders that end with it
-- Returns how many nodes receive the order at once, including the sender, and how many have
-- announced themselves without the sender, perhaps with nodes that died a moment ago.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
if ARGV[7] then
	local function forget(names)
		for _, name in ipairs(names) do
			redis.call('HDEL', KEYS[2], name)
			redis.call('ZREM', KEYS[3], name)
		end
	end
	forget(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', string.format('%d', now), 'LIMIT', 0, 100))
	for i = 10, #ARGV do
		forget({ARGV[i]})
	end
	if ARGV[7] ~= '' then
		-- Orders without an end are dropped last, the oldest of them first.
		local lasts = tonumber(ARGV[8])
		if lasts == 0 then
			lasts = 1e14
		end
		redis.call('HSET', KEYS[2], ARGV[7], ARGV[3])
		redis.call('ZADD', KEYS[3], string.format('%d', now + lasts), ARGV[7])
	end
	if redis.call('ZCARD', KEYS[3]) > tonumber(ARGV[9]) then
		forget(redis.call('ZRANGE', KEYS[3], 0, 0))
	end
end
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[5], '*', 'n', ARGV[1], 'q', ARGV[2], 'o', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[6])
local known = #redis.call('ZRANGEBYSCORE', KEYS[4], string.format('(%d', now), '+inf')
if redis.call('ZSCORE', KEYS[4], ARGV[1]) then
	known = known - 1
end
return {redis.call('PUBLISH', ARGV[4], ARGV[1] .. ':' .. ARGV[2]), known}
