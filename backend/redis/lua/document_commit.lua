-- Appends an entry if the document is still where the caller knows it.
-- KEYS: …, the key of the change as the third
-- ARGV: …, the entry, its anchor, the snapshot after it (empty: none), entries to keep, a name
--       for this call, time to live of the key in ms, bytes of entries to keep, payer, bytes
--       that the payer may have, bytes that all documents may have (0: no bound), time to live
--       of the document in ms (0: for good), …
-- Returns 1 and the version. Returns 2 and the version if another call has made the change.
-- Returns 0 and the answer to the caller if the caller is late. Returns 3 and what is full.
local said = redis.call('GET', KEYS[3])
if said then
	local g, version, call = string.match(said, '^(%w+):(%d+):(.*)$')
	if g == doc.g then
		return {call == ARGV[10] and 1 or 2, version}
	end
end
if known.e ~= doc.e or known.v ~= doc.v or differ(known.a, doc.a) then
	return {0, answerCaller(false)}
end
-- How many bytes a document takes besides its texts, for keys, index and bills; and how many an
-- entry takes besides its text.
local documentBytes, entryBytes = 6144, 32

-- Returns the bytes of the log after this change, and the oldest version that stays in it. The
-- script reads each entry twice: when it comes and when it goes.
local function sizeAfterTrim()
	local bytes, first = doc.lb + #ARGV[6] + entryBytes, nil
	if ARGV[8] == '' then
		return bytes, nil
	end
	local count, keep, most = redis.call('XLEN', log) + 1, tonumber(ARGV[9]), tonumber(ARGV[12])
	local from = '-'
	while true do
		local part = redis.call('XRANGE', log, from, '+', 'COUNT', 32)
		for _, entry in ipairs(part) do
			if count <= keep and (most == 0 or bytes <= most) then
				return bytes, first
			end
			bytes, count = bytes - #entry[2][2] - entryBytes, count - 1
			first = tonumber(string.match(entry[1], '^%d+')) + 1
			from = text(first)
		end
		if #part < 32 then
			return bytes, first
		end
	end
end

local payer, share, memory, ttl = ARGV[13], tonumber(ARGV[14]), tonumber(ARGV[15]), tonumber(ARGV[16])
local bill, sum, payers, billed = readBill(name)
local snapshot = ARGV[8] ~= '' and #ARGV[8] or redis.call('HSTRLEN', head, 's')
local bytes, first = sizeAfterTrim()
local fixed = documentBytes + 3 * #name
-- Nobody pays for the earlier part of a document that is older than the bills.
local unpaid = 0
if not billed and doc.v > 0 then
	unpaid = fixed + doc.lb + redis.call('HSTRLEN', head, 's')
end
local growth = fixed + bytes + snapshot - sum - unpaid

local function findFull()
	if growth <= 0 then
		return nil
	end
	if payer ~= '-' and share > 0 and tonumber(redis.call('HGET', used, payer) or '0') + growth > share then
		return 'share'
	end
	return memory > 0 and tonumber(redis.call('HGET', used, '*') or '0') + growth > memory and 'all'
end

local what = findFull()
if what and removeExpired(name) then
	what = findFull()
end
if what then
	return {3, what}
end
local version = text(doc.v + 1)
redis.call('HSET', head, 'e', doc.e, 'g', doc.g, 'v', version, 'a', ARGV[7])
local added = redis.pcall('XADD', log, version .. '-0', 'd', ARGV[6])
if type(added) == 'table' and added.err then
	if doc.v == 0 then
		redis.call('DEL', head)
	else
		redis.call('HSET', head, 'v', text(doc.v), 'a', doc.a)
	end
	if not string.find(added.err, 'equal or smaller', 1, true) then
		return added -- Redis rejects it, and nothing has changed
	end
	resetToSnapshot() -- the log is ahead of the head
	return {0, answerCaller(false)}
end
redis.call('SET', KEYS[3], doc.g .. ':' .. version .. ':' .. ARGV[10], 'PX', ARGV[11])
redis.call('HSET', head, 'lb', text(bytes), 'ttl', ARGV[16])
if doc.v == 0 then
	redis.call('PERSIST', head) -- earlier versions give a head without changes a TTL
end
if ARGV[8] ~= '' then
	redis.call('HSET', head, 's', ARGV[8], 'sv', version)
end
if first then
	redis.call('XTRIM', log, 'MINID', text(first))
end
if not billed then
	redis.call('ZADD', index, 0, name)
end
if unpaid > 0 then
	addToBill(bill, '-', unpaid)
end
chargeBill(name, bill, payers, payer, growth)
if ttl > 0 then
	extendTTL(ttl)
elseif doc.ttl > 0 then
	redis.call('PERSIST', head)
	redis.call('PERSIST', log)
	redis.call('ZREM', ends, name)
end
removeExpired(name)
if recordEvent then
	recordEvent('changed', name, version .. ':' .. ARGV[6])
end
redis.call('PUBLISH', topic, 'd' .. doc.e .. ':' .. version .. ':' .. ARGV[6])
return {1, version}
