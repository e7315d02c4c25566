-- Says how a node divides the channels.
-- KEYS: what nodes have said, by when it ends
-- ARGV: how it divides them, the node, for how long that counts in ms, 1 to say it for
--       the first time
-- Gives 1, and what others have said that is not the same. Gives 0, and says nothing,
-- the first time, when there are others and nobody says the same.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local till = string.format('%d', now + ARGV[3])
local own, alike, others = ARGV[1] .. '\n', 0, {}
for i, said in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '+inf', 'WITHSCORES')) do
	if i % 2 == 1 then
		others[#others + 1] = said
	elseif tonumber(said) <= now or tonumber(said) > tonumber(till) then
		-- It is over, or Redis's clock was set back: who lives says it again.
		redis.call('ZREM', KEYS[1], table.remove(others))
	elseif string.sub(others[#others], 1, #own) == own then
		alike = alike + 1
		table.remove(others)
	end
end
if ARGV[4] == '1' and alike == 0 and #others > 0 then
	return {0, others}
end
redis.call('ZADD', KEYS[1], till, own .. ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {1, others}
