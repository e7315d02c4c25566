-- What the scripts of documents share. A document is a head and a log. The head is a
-- hash: e, the epoch; g, that in which the document began, which keys of changes name;
-- v and a, version and anchor of the latest entry; s and sv, the snapshot and its
-- version; lb, the bytes of the log; ttl, for how many ms it is kept when nobody uses it.
-- The log is a stream: ids are versions, d is an entry, whose anchor stands in its bytes
-- 2 to 9. Nothing is kept of a document that nobody has changed.
-- KEYS: head, log, …
-- ARGV: an epoch or a secret should one be needed, Pub/Sub channel; what the caller knows:
--       epoch, version, anchor (empty: not known), …, the name of the document
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

-- Gives what a document is that nobody has changed.
local function unchangedDocument()
	local epoch = unchangedEpoch(name, fresh)
	return {e = epoch, g = epoch, v = 0, a = '', sv = 0, lb = 0, ttl = 0}
end

-- Removes all that is left of the document. The next one of its name has another epoch.
local function removeDocument()
	removeBill(name)
	if redis.call('DEL', head, log) > 0 then
		countEnded(name)
	end
	doc = unchangedDocument()
end

if not doc.e then
	doc = unchangedDocument() -- first, because a full Redis refuses it
	removeDocument()
end

-- Gives the document a new epoch: whoever knows the old one must not believe in any of
-- its versions. What is there stays.
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

-- Goes back to the snapshot, because a part of the log is gone. The log goes last: if
-- Redis refuses anything before, nothing is lost.
local function resetToSnapshot()
	doc = {e = fresh, g = fresh, v = doc.sv, a = '', sv = doc.sv, lb = 0, ttl = doc.ttl}
	if doc.v > 0 then
		redis.call('HSET', head, 'g', fresh, 'v', text(doc.v), 'a', '', 'lb', '0')
	end
	renewEpoch()
	redis.call('DEL', log)
end

-- Has the document kept for another while, from now on.
local function extendTTL(ttl)
	local over = digits(nowMs() + ttl)
	redis.call('PEXPIREAT', head, over)
	redis.call('PEXPIREAT', log, over)
	redis.call('ZADD', ends, over, name)
end

-- Reads entries from a version on, a page at most: versions and entries in turn.
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

-- Gives the entries after what the caller knows; nil if that can not be told.
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

-- Reports that the log has all entries that the snapshot does not hold.
local function isComplete(list)
	if doc.v == doc.sv then
		return true
	end
	local last = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1]
	return last and last[1] == text(doc.v) .. '-0' and tonumber(list[1]) <= doc.sv + 1
end

-- Gives epoch, version, anchor, and the entries after what the caller knows; or, marked
-- with 1, all entries with the snapshot and its version, which brief leaves out.
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
