-- Removes members that a node no longer holds.
-- ARGV: …, for each member: key, for how long in ms it has not been seen
-- Returns how many steps the node has made, or -1 if this was none.
if isOvertaken() then
	return -1
end
for i = firstArg, #ARGV, 2 do
	leaveMember(ARGV[i], tonumber(ARGV[i + 1]))
end
publishEvents()
return countStep()
