-- Reads the orders after the latest known one.
-- KEYS: orders
-- ARGV: id of the latest known order (empty: skip all orders so far), how many to read
-- Returns the id from which to go on; 1 if orders after the known one may be gone; the orders,
-- for each: node, number, age in ms, order.
local last = ARGV[1]
local top = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
if last == '' or not top then
	return {top and top[1] or (last == '' and '0-0' or last), 0, {}}
end

local function splitID(id)
	local ms, seq = string.match(id, '^(%d+)-(%d+)$')
	return tonumber(ms), tonumber(seq)
end
local function before(a, b)
	local ms1, seq1 = splitID(a)
	local ms2, seq2 = splitID(b)
	return ms1 < ms2 or ms1 == ms2 and seq1 < seq2
end

local from, gone = '(' .. last, 0
if before(top[1], last) then
	-- This is another Redis, which lost orders or has a slow clock. All orders may be new.
	from, gone = '-', 1
elseif before(last, redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1][1]) then
	gone = 1
end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local orders = {}
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', ARGV[2])) do
	last = entry[1]
	local fields = entry[2]
	orders[#orders + 1] = {fields[2], fields[4], math.max(now - splitID(last), 0), fields[6]}
end
return {last, gone, orders}
