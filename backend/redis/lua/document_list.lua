-- Lists documents in the order of their names.
-- ARGV: the first and the last name, as ZRANGEBYLEX writes them, and how many
-- Returns name, version and bytes of each in turn.
removeExpired('')
local list = {}
for _, name in ipairs(redis.call('ZRANGEBYLEX', index, ARGV[1], ARGV[2], 'LIMIT', 0, ARGV[3])) do
	local _, sum = readBill(name)
	-- If Redis evicted a document, its bill stays until somebody uses the name.
	local version = redis.call('HGET', headOf(name), 'v')
	list[#list + 1], list[#list + 2], list[#list + 3] = name, version or '0', digits(sum)
end
return list
