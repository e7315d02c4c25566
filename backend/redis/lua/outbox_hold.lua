-- Notes which connections and channels a node has, and records what starts and ends by that.
-- KEYS: leases of nodes by their end; what this node has; the nodes that were reaped
-- ARGV: prefix of the sets of holders, node, number of the script, lease in ms, 1 if this is the first
--       report under this name, wanted types as letters (c d o v), how many changes were dropped, then
--       for each change: 1 if the node has it and 0 if not, 1 if no event is wanted, c or r and the
--       name, user
-- Returns 1. Returns 0 if Redis has lost what the node had, and -1 if the node was reaped: then it
-- must report all that it has.
local leases, held, reaped = KEYS[1], KEYS[2], KEYS[3]
local node, wanted = ARGV[2], ARGV[6]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function extend(who)
	redis.call('ZADD', leases, string.format('%d', now + ARGV[4]), who)
end
local latest = redis.call('HGET', held, '')
if latest and tonumber(latest) >= tonumber(ARGV[3]) then
	return 1 -- the script arrives a second time
end
if ARGV[5] ~= '1' and not latest then
	return redis.call('ZSCORE', reaped, node) and -1 or 0
end
-- If all leases are over and one of them is renewed, Redis was away, not the nodes. The others
-- get time to reconnect.
if redis.call('ZSCORE', leases, node)
		and #redis.call('ZRANGEBYSCORE', leases, '(' .. string.format('%d', now), '+inf', 'LIMIT', 0, 1) == 0 then
	for _, other in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', '+inf')) do
		extend(other)
	end
end
redis.call('HSET', held, '', ARGV[3])
extend(node)
redis.call('ZREM', reaped, node)

local function wants(letter)
	return string.find(wanted, letter, 1, true)
end
if ARGV[7] ~= '0' then
	redis.call('HINCRBY', outboxState, 'lost', ARGV[7]) -- the next event comes after a 'lost'
	if redis.call('TTL', outboxState) == -1 then
		redis.call('PEXPIRE', outboxState, outboxKeep)
	end
end
for i = 8, #ARGV, 4 do
	local has, quiet, name, user = ARGV[i] == '1', ARGV[i + 1] == '1', ARGV[i + 2], ARGV[i + 3]
	local kind, rest = string.sub(name, 1, 1), string.sub(name, 2)
	local had = redis.call('HGET', held, name)
	if has and not had then
		redis.call('HSET', held, name, user)
		if kind == 'c' then
			if not quiet and wants('c') then
				recordEvent('connected', '', rest .. '\n' .. user)
			end
		elseif redis.call('SADD', ARGV[1] .. rest, node) == 1 and redis.call('SCARD', ARGV[1] .. rest) == 1 and not quiet and wants('o') then
			recordEvent('occupied', rest, '')
		end
	elseif not has and had then
		redis.call('HDEL', held, name)
		if kind == 'c' then
			if wants('d') then
				recordEvent('disconnected', '', rest .. '\n' .. user)
			end
		elseif redis.call('SREM', ARGV[1] .. rest, node) == 1 and redis.call('SCARD', ARGV[1] .. rest) == 0 and not quiet and wants('v') then
			recordEvent('vacated', rest, '')
		end
	end
end
return 1
