-- Adds up how many connections a user has on other nodes. The counts of dead nodes are gone
-- with their lease.
-- KEYS: nodes by the end of their lease
-- ARGV: node that asks, prefix of the keys of counts, user
local sum = 0
for _, node in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '+inf')) do
	if node ~= ARGV[1] then
		sum = sum + tonumber(redis.call('HGET', ARGV[2] .. node, ARGV[3]) or '0')
	end
end
return sum
