-- Claims frames that other programs have published, for the node that leads.
-- KEYS: the node that leads; for each frame the node that has claimed it
-- ARGV: node, how long it leads in ms (0: it leads no longer), how long a claim lasts in ms
-- Returns nil if another node leads; else for each frame 1 if the node has it, now or from before,
-- and 0 if another node has it.
local leader = redis.call('GET', KEYS[1])
if leader and leader ~= ARGV[1] then
	return false
end
if ARGV[2] == '0' then
	redis.call('DEL', KEYS[1])
	return false
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local mine = {}
for i = 2, #KEYS do
	local node = redis.call('GET', KEYS[i])
	if not node then
		redis.call('SET', KEYS[i], ARGV[1], 'PX', ARGV[3])
	end
	mine[i - 1] = (not node or node == ARGV[1]) and 1 or 0
end
return mine
