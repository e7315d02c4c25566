-- Announces how a node divides the channels.
-- KEYS: announcements by the time they expire
-- ARGV: the layout, the node, for how long in ms the announcement counts, 1 for the first
--       announcement
-- Returns 1, and the announcements of others that differ.
-- Returns 0, and announces nothing, if it is the first announcement, all others differ and
-- there are some.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local till = string.format('%d', now + ARGV[3])
local own, alike, others = ARGV[1] .. '\n', 0, {}
for i, said in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '+inf', 'WITHSCORES')) do
	if i % 2 == 1 then
		others[#others + 1] = said
	elseif tonumber(said) <= now or tonumber(said) > tonumber(till) then
		-- It has expired, or Redis's clock was set back. A running node announces again.
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
