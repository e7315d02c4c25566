-- Adds up how many connections a user has on other nodes. What dead nodes have counted
-- is gone with their lease.
-- KEYS: nodes by when their lease ends
-- ARGV: node that asks, what the keys of the nodes' counts begin with, user
local sum = 0
for _, node in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '+inf')) do
	if node ~= ARGV[1] then
		sum = sum + tonumber(redis.call('HGET', ARGV[2] .. node, ARGV[3]) or '0')
	end
end
return sum
