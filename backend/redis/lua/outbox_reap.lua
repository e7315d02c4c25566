-- Finds nodes whose lease is over, and ends some of what one of them had.
-- KEYS: leases of nodes by their end; the nodes that were reaped
-- ARGV: prefix of the sets of holders, node that asks, prefix of what nodes have, wanted types as letters, how
--       many at most, lease in ms, for how long in ms to remember reaped nodes
-- Returns 1 if more is to be done.
local leases, reaped = KEYS[1], KEYS[2]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local till = string.format('%d', now + ARGV[6])
-- If all leases are over and one of them is renewed, Redis was away, not the nodes.
if #redis.call('ZRANGEBYSCORE', leases, '(' .. string.format('%d', now), '+inf', 'LIMIT', 0, 1) == 0 then
	if redis.call('ZSCORE', leases, ARGV[2]) then
		for _, node in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', '+inf')) do
			redis.call('ZADD', leases, till, node)
		end
	end
end
local dead = redis.call('ZRANGEBYSCORE', leases, '-inf', string.format('%d', now), 'LIMIT', 0, 1)[1]
if not dead then
	return 0
end
local held = ARGV[3] .. dead
local found = redis.call('HSCAN', held, '0', 'COUNT', ARGV[5])[2]
local left = 0
for i = 1, #found, 2 do
	local name, user = found[i], found[i + 1]
	local kind, rest = string.sub(name, 1, 1), string.sub(name, 2)
	if name ~= '' then
		left = left + 1
		redis.call('HDEL', held, name)
		if kind == 'c' then
			if string.find(ARGV[4], 'd', 1, true) then
				recordEvent('disconnected', '', rest .. '\n' .. user)
			end
		elseif redis.call('SREM', ARGV[1] .. rest, dead) == 1 and redis.call('SCARD', ARGV[1] .. rest) == 0 and string.find(ARGV[4], 'v', 1, true) then
			recordEvent('vacated', rest, '')
		end
	end
end
if redis.call('HLEN', held) <= 1 then
	redis.call('DEL', held)
	redis.call('ZREM', leases, dead)
	redis.call('ZADD', reaped, string.format('%d', now), dead)
	redis.call('ZREMRANGEBYSCORE', reaped, '-inf', string.format('%d', now - ARGV[7]))
end
return 1
