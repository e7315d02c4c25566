-- The ledger of a shard's documents: who pays for how many bytes, and until when a document
-- stays.
-- bills has a bill for each document: payer, '=' and bytes, for each payer, separated by
-- spaces; the payer '-' is nobody. used has the sum of each payer, and of all as '*'. index has
-- the names in order. ends has the documents with a TTL by the time it ends. epochs has what
-- the epochs of unchanged documents are computed from: a secret as '', and for each of 4096
-- parts of all names the number of documents that have ended in it.
-- KEYS: …, index, bills, used, ends, epochs
-- ARGV: …, the prefix of all keys
local index, bills, used, ends, epochs = KEYS[#KEYS - 4], KEYS[#KEYS - 3], KEYS[#KEYS - 2], KEYS[#KEYS - 1], KEYS[#KEYS]
local prefix = ARGV[#ARGV]
local maxPayers = 32

local function digits(n)
	return string.format('%d', n)
end

local function nowMs()
	local now = redis.call('TIME')
	return now[1] * 1000 + math.floor(now[2] / 1000)
end

local function headOf(name)
	return prefix .. 'dh:{' .. name .. '}'
end

local function readBill(name)
	local bill, sum, payers = {}, 0, 0
	local said = redis.call('HGET', bills, name)
	for payer, bytes in string.gmatch(said or '', '([%w-]+)=(%d+)') do
		bill[payer] = tonumber(bytes)
		sum, payers = sum + bill[payer], payers + 1
	end
	return bill, sum, payers, said
end

local function writeBill(name, bill)
	local list = {}
	for payer, bytes in pairs(bill) do
		list[#list + 1] = payer .. '=' .. digits(bytes)
	end
	redis.call('HSET', bills, name, table.concat(list, ' '))
end

local function addUsed(field, bytes)
	if bytes ~= 0 and redis.call('HINCRBY', used, field, digits(bytes)) <= 0 then
		redis.call('HDEL', used, field)
	end
end

-- Changes what a payer pays for a document.
local function addToBill(bill, payer, bytes)
	local has = (bill[payer] or 0) + bytes
	bill[payer] = has > 0 and has or nil
	addUsed('*', bytes)
	if payer ~= '-' then
		addUsed(payer, bytes)
	end
end

-- Subtracts bytes: first from the payer who gave them up, then from the others.
local function refund(bill, first, bytes)
	local has = {}
	for payer, n in pairs(bill) do
		if payer ~= first then
			has[#has + 1] = {payer, n}
		end
	end
	table.insert(has, 1, {first, bill[first] or 0})
	for _, one in ipairs(has) do
		local n = math.min(bytes, one[2])
		addToBill(bill, one[1], -n)
		bytes = bytes - n
	end
end

-- Charges a payer for the growth of a document. A negative growth is refunded.
local function chargeBill(name, bill, payers, payer, bytes)
	if bytes < 0 then
		refund(bill, payer, -bytes)
	else
		if not bill[payer] and payers > maxPayers then
			for other, n in pairs(bill) do
				if other ~= '-' then
					addToBill(bill, other, -n)
					addToBill(bill, '-', n)
					break
				end
			end
		end
		addToBill(bill, payer, bytes)
	end
	writeBill(name, bill)
end

local function partOf(name)
	return string.sub(redis.sha1hex(name), 1, 3)
end

-- Changes the epochs of all unchanged documents in the same part of the names.
local function countEnded(name)
	redis.call('HINCRBY', epochs, partOf(name), 1)
end

-- Returns the epoch of an unchanged document. It is the same for all callers, and no earlier
-- document of the name had it. secret is used if there is none yet.
local function unchangedEpoch(name, secret)
	local said = redis.call('HMGET', epochs, '', partOf(name))
	if said[1] then
		secret = said[1]
	else
		redis.call('HSET', epochs, '', secret)
	end
	return string.sub(redis.sha1hex(secret .. ':' .. (said[2] or '0') .. ':' .. name), 1, 12)
end

-- Removes the bill of a document that has ended.
local function removeBill(name)
	local bill, _, _, said = readBill(name)
	if said then
		countEnded(name)
		redis.call('HDEL', bills, name)
		redis.call('ZREM', index, name)
		redis.call('ZREM', ends, name)
		for payer, bytes in pairs(bill) do
			addUsed('*', -bytes)
			if payer ~= '-' then
				addUsed(payer, -bytes)
			end
		end
	end
end

-- Removes documents whose time is over, at most 16. Reports whether there were any.
local function removeExpired(own)
	local over = redis.call('ZRANGEBYSCORE', ends, '-inf', '(' .. digits(nowMs()), 'LIMIT', 0, 16)
	local any = false
	for _, name in ipairs(over) do
		if name ~= own then
			any = true
			redis.call('DEL', headOf(name), prefix .. 'dl:{' .. name .. '}')
			removeBill(name)
		end
	end
	return any
end

