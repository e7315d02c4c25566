-- Appends an entry to what the caller knows. KEYS: the key of the change. ARGV: the
-- entry, its anchor, the snapshot after it (empty: none), entries to keep, which call
-- this is, time to live of the key in ms.
-- Gives 1 and the version, or 2 and the version if another call has made the change, or
-- 0 and the answer for a caller who is late.
local said = redis.call('GET', KEYS[3])
if said then
	local g, version, call = string.match(said, '^(%w+):(%d+):(.*)$')
	if g == doc.g then
		return {call == ARGV[11] and 1 or 2, version}
	end
end
if known.e ~= doc.e or known.v ~= doc.v or differ(known.a, doc.a) then
	return {0, answer(false)}
end
local version = text(doc.v + 1)
redis.call('HSET', head, 'v', version, 'a', ARGV[8])
local added = redis.pcall('XADD', log, version .. '-0', 'd', ARGV[7])
if type(added) == 'table' and added.err then
	redis.call('HSET', head, 'v', text(doc.v), 'a', doc.a)
	if not string.find(added.err, 'equal or smaller', 1, true) then
		return added -- Redis refuses it, and nothing has changed
	end
	salvage() -- the log is ahead of the head
	return {0, answer(false)}
end
redis.call('SET', KEYS[3], doc.g .. ':' .. version .. ':' .. ARGV[11], 'PX', ARGV[12])
if doc.v == 0 then
	redis.call('PERSIST', head)
end
if ARGV[9] ~= '' then
	redis.call('HSET', head, 's', ARGV[9], 'sv', version)
	redis.call('XTRIM', log, 'MINID', text(math.max(doc.v + 2 - tonumber(ARGV[10]), 1)))
end
redis.call('PUBLISH', topic, 'd' .. doc.e .. ':' .. version .. ':' .. ARGV[7])
return {1, version}
