-- What the documents of a shard take: who pays for how much, and until when they stay.
-- Bills has what each document takes for whom: a payer, '=' and bytes, separated by
-- spaces; '-' is nobody. Used has the sums of the payers, and of all as '*'. Index has
-- the names in their order, ends those that have a TTL by when it is over. Epochs has
-- what the epochs of documents are made of that nobody has changed: as '' a secret, and
-- for each of 4096 parts of all names how many documents in it have ended.
-- KEYS: … index, bills, used, ends, epochs. ARGV: … the prefix of all keys.
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

-- Changes what a payer has of a document.
local function addToBill(bill, payer, bytes)
	local has = (bill[payer] or 0) + bytes
	bill[payer] = has > 0 and has or nil
	addUsed('*', bytes)
	if payer ~= '-' then
		addUsed(payer, bytes)
	end
end

-- Takes back bytes: of the payer who gave them up, and then of the others.
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

-- Books what a document takes more or less.
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

-- Gives another epoch to those documents in the part of a name that nobody has changed.
local function countEnded(name)
	redis.call('HINCRBY', epochs, partOf(name), 1)
end

-- Gives the epoch of a document that nobody has changed. Everybody is given the same one,
-- and no document of before had it. Secret is for the case that there is none.
local function unchangedEpoch(name, secret)
	local said = redis.call('HMGET', epochs, '', partOf(name))
	if said[1] then
		secret = said[1]
	else
		redis.call('HSET', epochs, '', secret)
	end
	return string.sub(redis.sha1hex(secret .. ':' .. (said[2] or '0') .. ':' .. name), 1, 12)
end

-- Takes a document that has ended off the books.
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

-- Removes documents whose time is over: some of them, if there are many. Reports
-- whether there were any.
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

