-- Finds nodes whose lease is over, and ends some of what one of them had.
-- KEYS: leases of nodes by their end; the nodes that were reaped
-- ARGV: prefix of the sets of holders, prefix of what nodes have, wanted types as letters, how many at
--       most, lease in ms, for how long in ms to remember reaped nodes
-- Returns 1 if more is to be done.
local leases, reaped = KEYS[1], KEYS[2]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local till = string.format('%d', now + ARGV[5])
-- No lease may be longer. A longer one was taken before the clock was set back.
for _, node in ipairs(redis.call('ZRANGEBYSCORE', leases, '(' .. till, '+inf', 'LIMIT', 0, 100)) do
	redis.call('ZADD', leases, till, node)
end
local dead = redis.call('ZRANGEBYSCORE', leases, '-inf', string.format('%d', now), 'LIMIT', 0, 1)[1]
if not dead then
	return 0
end
local held = ARGV[2] .. dead
-- From now on the node is reaped. If it wakes up before the last of its connections is ended, it
-- reports all of them again.
redis.call('HDEL', held, '')
redis.call('ZADD', reaped, string.format('%d', now), dead)
local function release(name, user)
	local kind, rest = string.sub(name, 1, 1), string.sub(name, 2)
	redis.call('HDEL', held, name)
	if kind == 'c' then
		if string.find(ARGV[3], 'd', 1, true) then
			recordEvent('disconnected', '', rest .. '\n' .. user)
		end
	elseif redis.call('SREM', ARGV[1] .. rest, dead) == 1 and redis.call('SCARD', ARGV[1] .. rest) == 0 and string.find(ARGV[3], 'v', 1, true) then
		recordEvent('vacated', rest, '')
	end
end
local cursor, count = '0', 0
repeat
	local reply = redis.call('HSCAN', held, cursor, 'COUNT', ARGV[4])
	cursor = reply[1]
	for i = 1, #reply[2], 2 do
		release(reply[2][i], reply[2][i + 1])
		count = count + 1
	end
until cursor == '0' or count >= tonumber(ARGV[4])
if cursor == '0' then
	redis.call('ZREM', leases, dead)
	for _, node in ipairs(redis.call('ZRANGEBYSCORE', reaped, '-inf', string.format('%d', now - ARGV[6]), 'LIMIT', 0, 100)) do
		redis.call('ZREM', reaped, node)
	end
end
return 1
