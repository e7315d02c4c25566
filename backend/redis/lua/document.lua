-- The shared part of the scripts of documents. It comes after document_ledger.lua.
-- A document is a head and a log. The head is a hash: e, the epoch; g, the first epoch of the
-- document, which the keys of changes name; v and a, version and anchor of the latest entry; s
-- and sv, the snapshot and its version; lb, the bytes of the log; ttl, for how many ms an
-- unused document is kept. The log is a stream. Its ids are versions. Its field d is an entry,
-- which has its anchor in bytes 2 to 9. Redis stores nothing of a document that was never
-- changed.
-- KEYS: head, log, …
-- ARGV: a new epoch, or secret, if one is needed; Pub/Sub channel; what the caller knows:
--       epoch, version, anchor (empty: unknown); …; the name of the document
local head, log, name = KEYS[1], KEYS[2], ARGV[#ARGV - 1]
local fresh, topic = ARGV[1], ARGV[2]
local known = {e = ARGV[3], v = tonumber(ARGV[4]), a = ARGV[5]}
local unknown = string.rep('\0', 8)
local pageBytes = 1048576

local function text(version)
	return string.format('%d', version)
end

local function differ(a, b)
	return a ~= '' and b ~= '' and a ~= unknown and b ~= unknown and a ~= b
end

local fields = redis.call('HMGET', head, 'e', 'g', 'v', 'a', 'sv', 'lb', 'ttl')
local doc = {
	e = fields[1], g = fields[2], v = tonumber(fields[3] or '0'), a = fields[4] or '', sv = tonumber(fields[5] or '0'),
	lb = tonumber(fields[6] or '0'), ttl = tonumber(fields[7] or '0'),
}

-- Returns the document as it is before its first change.
local function unchangedDocument()
	local epoch = unchangedEpoch(name, fresh)
	return {e = epoch, g = epoch, v = 0, a = '', sv = 0, lb = 0, ttl = 0}
end

-- Removes the document. The next document of this name has another epoch.
local function removeDocument()
	removeBill(name)
	if redis.call('DEL', head, log) > 0 then
		countEnded(name)
	end
	doc = unchangedDocument()
end

if not doc.e then
	doc = unchangedDocument() -- first, because a full Redis rejects it
	removeDocument()
end

-- Gives the document a new epoch, because a caller knows versions that Redis has lost. The data
-- stays.
local function renewEpoch()
	if doc.v == 0 then
		countEnded(name)
		removeDocument()
	else
		doc.e = fresh
		redis.call('HSET', head, 'e', fresh)
	end
	redis.call('PUBLISH', topic, 'r' .. doc.e)
end

-- Returns to the snapshot, because a part of the log is gone. Deletes the log last: if Redis
-- rejects a write before that, nothing is lost.
local function resetToSnapshot()
	doc = {e = fresh, g = fresh, v = doc.sv, a = '', sv = doc.sv, lb = 0, ttl = doc.ttl}
	if doc.v > 0 then
		redis.call('HSET', head, 'g', fresh, 'v', text(doc.v), 'a', '', 'lb', '0')
	end
	renewEpoch()
	redis.call('DEL', log)
end

-- Keeps the document for another ttl from now on.
local function extendTTL(ttl)
	local over = digits(nowMs() + ttl)
	redis.call('PEXPIREAT', head, over)
	redis.call('PEXPIREAT', log, over)
	redis.call('ZADD', ends, over, name)
end

-- Reads at most one page of entries from a version on. Returns versions and entries in turn.
local function entries(version)
	local list, size, from = {}, 0, text(version)
	repeat
		local part = redis.call('XRANGE', log, from, '+', 'COUNT', 50)
		for _, entry in ipairs(part) do
			local id = string.match(entry[1], '^%d+')
			list[#list + 1], list[#list + 2] = id, entry[2][2]
			size, from = size + #entry[2][2], text(tonumber(id) + 1)
		end
	until #part < 50 or size >= pageBytes
	return list
end

-- Returns the entries after what the caller knows, or nil if the log can not tell.
local function entriesSince()
	if known.e ~= doc.e then
		return nil
	end
	if known.v > doc.v or known.v == doc.v and differ(known.a, doc.a) then
		if known.a ~= '' then
			renewEpoch()
		end
		return nil
	end
	if known.v == doc.v then
		return {}
	end
	local list = entries(known.v)
	if known.v > 0 then
		if list[1] == text(known.v) then
			if differ(known.a, string.sub(list[2], 2, 9)) then
				renewEpoch()
				return nil
			end
			table.remove(list, 1)
			table.remove(list, 1)
		elseif known.a ~= '' then
			return nil
		end
	end
	if list[1] ~= text(known.v + 1) then
		return nil
	end
	return list
end

-- Reports whether the log has all entries after the snapshot.
local function isComplete(list)
	if doc.v == doc.sv then
		return true
	end
	local last = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1]
	return last and last[1] == text(doc.v) .. '-0' and tonumber(list[1]) <= doc.sv + 1
end

-- Returns epoch, version, anchor, 0 and the entries after what the caller knows. If those are
-- unknown, it returns 1 and all entries instead, then the snapshot and its version. With brief
-- it leaves out these entries and the snapshot.
local function answerCaller(brief)
	local list = entriesSince()
	if list then
		return {doc.e, text(doc.v), doc.a, 0, list}
	end
	if brief then
		return {doc.e, text(doc.v), doc.a, 1, {}}
	end
	list = entries(0)
	if not isComplete(list) then
		resetToSnapshot()
		list = {}
	end
	local snapshot = doc.sv > 0 and redis.call('HGET', head, 's') or ''
	return {doc.e, text(doc.v), doc.a, 1, list, text(doc.sv), snapshot}
end
