-- Enters members that a node holds.
-- ARGV: …, for each member: key, rank of its status, status, info, for how long to remember it
--       in ms, owner
-- Returns how many steps the node has made, or -1 if this was none. Returns 0, and does
-- nothing, if the node has no lease any more: then its members have left, or are about to.
if not redis.call('ZSCORE', leases, node) then
	return 0
end
if isOvertaken() then
	return -1
end
local count = (#ARGV - firstArg + 1) / 6
local at = redis.call('HINCRBY', counters, 'at', count) - count
for i = firstArg, #ARGV, 6 do
	local key = ARGV[i]
	at = at + 1
	local hold = {node, at, tonumber(ARGV[i + 1]), ARGV[i + 2], ARGV[i + 3], tonumber(ARGV[i + 4]), tonumber(ARGV[i + 5])}
	local packed, list = redis.call('HGET', holds, key), {}
	if packed then
		for _, h in ipairs(cmsgpack.unpack(packed)) do
			if h[1] ~= node then
				list[#list + 1] = h
			end
		end
	end
	list[#list + 1] = hold
	redis.call('SADD', held, key)
	saveMember(key, list, packed and redis.call('HGET', looks, key))
end
publishEvents()
return countStep()
