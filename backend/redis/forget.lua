-- Removes a document. ARGV: epoch and version that it has to have (empty: any).
-- Gives whether it had them.
if ARGV[7] ~= '' and (ARGV[7] ~= doc.e or ARGV[8] ~= text(doc.v)) then
	return 0
end
if doc.v > 0 then
	redis.call('DEL', head, log)
	settle(name)
	redis.call('HSET', head, 'e', fresh, 'g', fresh)
	redis.call('PEXPIRE', head, ARGV[2])
	redis.call('PUBLISH', topic, 'r' .. fresh)
end
return 1
