-- Says that a node no longer holds members. ARGV, for each: key, how long ago it was
-- last seen in ms. Gives how many steps the node has made, or -1 if this was none.
if isOvertaken() then
	return -1
end
for i = firstArg, #ARGV, 2 do
	leaveMember(ARGV[i], tonumber(ARGV[i + 1]))
end
publishEvents()
return countStep()
