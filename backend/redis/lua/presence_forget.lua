-- Forgets members who left the room.
-- ARGV: …, the keys of the members
-- Returns how many of them were remembered.
local forgotten = 0
for i = firstArg, #ARGV do
	forgotten = forgotten + math.min(redis.call('HSTRLEN', gone, ARGV[i]), 1)
	forgetLeft(ARGV[i])
end
expireWithLast(goneExpiry, {gone, goneIndex, goneExpiry})
expireWithLast(allEnds, {all, allEnds, books})
return forgotten
