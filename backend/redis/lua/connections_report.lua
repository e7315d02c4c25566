-- Reports how many connections users have on a node.
-- KEYS: nodes by the end of their lease; the counts of this node
-- ARGV: node, number of the script on this node, length of the lease in ms, 1 to drop the
--       earlier counts, then for each user: id, connections
-- Returns 1. Returns 0, and does nothing, if the earlier counts are gone because the lease was
-- over: the node must report all again.
local latest = redis.call('HGET', KEYS[2], '')
if latest and tonumber(latest) >= tonumber(ARGV[2]) then
	return 1 -- the node sent a later script, which was executed first
end
if ARGV[4] == '1' then
	redis.call('DEL', KEYS[2])
elseif not latest then
	return 0
end
redis.call('HSET', KEYS[2], '', ARGV[2])
for i = 5, #ARGV, 2 do
	if ARGV[i + 1] == '0' then
		redis.call('HDEL', KEYS[2], ARGV[i])
	else
		redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
	end
end
redis.call('PEXPIRE', KEYS[2], ARGV[3])

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
for _, node in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%d', now), 'LIMIT', 0, 100)) do
	redis.call('ZREM', KEYS[1], node)
end
redis.call('ZADD', KEYS[1], string.format('%d', now + ARGV[3]), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
