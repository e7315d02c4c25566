-- Renews the lease of a node and finds nodes whose lease is over, by Redis's clock.
-- KEYS: leases by node and end, dead nodes by the time of their death, steps by node
-- ARGV: node, length of the lease in ms, 1 to take a new lease, the lowest number of a script
--       that the node waits for
-- Returns whether the node has a lease, the dead nodes, and how many steps it has made.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local till = string.format('%d', now + ARGV[2])
-- If all leases are over and one of them is renewed, Redis was away, not the nodes. The others
-- get time to reconnect.
if ARGV[3] ~= '1' and redis.call('ZSCORE', KEYS[1], ARGV[1])
		and #redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. string.format('%d', now), '+inf', 'LIMIT', 0, 1) == 0 then
	for _, node in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '+inf')) do
		redis.call('ZADD', KEYS[1], till, node)
	end
end
-- No lease may be longer. A longer one was taken before the clock was set back.
for _, node in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. till, '+inf', 'LIMIT', 0, 100)) do
	redis.call('ZADD', KEYS[1], till, node)
end
for _, node in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%d', now), 'LIMIT', 0, 100)) do
	redis.call('ZREM', KEYS[1], node)
	redis.call('ZADD', KEYS[2], string.format('%d', now), node)
end
local alive = 0
if ARGV[3] == '1' or redis.call('ZSCORE', KEYS[1], ARGV[1]) then
	redis.call('ZADD', KEYS[1], till, ARGV[1])
	alive = 1
	local field = ARGV[1] .. ':from'
	if tonumber(ARGV[4]) > tonumber(redis.call('HGET', KEYS[3], field) or '0') then
		redis.call('HSET', KEYS[3], field, ARGV[4])
	end
end
local steps = tonumber(redis.call('HGET', KEYS[3], ARGV[1]) or '0')
return {alive, redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '+inf', 'LIMIT', 0, 100), steps}
