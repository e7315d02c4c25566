-- Returns the batch that a sink is to get: the same one until it is done.
-- ARGV: sink, fence, how many events at most, how many bytes
-- Returns nothing if another sender has the sink. Otherwise it returns the name of the outbox, the last
-- number of the batch, when it was formed and the present, both in ms, how many events were given up
-- before it, its entries, the events that the sink holds back, and the number of that text.
-- A batch without entries has the number 0.
if not holds() or not get(sink, 'owner') then
	return false
end
local from = string.format('(%d-0', number(get(sink, 'done')))
local till, formed = get(sink, 'end'), get(sink, 'formed')
local entries
if till and till ~= '0' then
	entries = redis.call('XRANGE', outboxStream, from, till)
else
	entries = redis.call('XRANGE', outboxStream, from, '+', 'COUNT', ARGV[3])
	if #entries == 0 then
		local s = readOutbox()
		if s.lost > 0 and pushEvent(s, 'lost', '', string.format('%d', s.lost)) then
			s.lost = 0
			saveOutbox(s)
			entries = redis.call('XRANGE', outboxStream, from, '+', 'COUNT', 1)
		else
			redis.call('HSET', outboxState, 'waits', '1')
			return {redis.call('HGET', outboxState, 'name') or '', '0', string.format('%d', now), string.format('%d', now), '0', {},
				get(sink, 'held') or '', get(sink, 'held number') or '0'}
		end
	end
	local size, count = 0, 0
	for _, e in ipairs(entries) do
		local bytes = 160
		for i = 2, #e[2], 2 do
			bytes = bytes + #e[2][i]
		end
		if count > 0 and size + bytes > tonumber(ARGV[4]) then
			break
		end
		size, count = size + bytes, count + 1
	end
	for i = #entries, count + 1, -1 do
		entries[i] = nil
	end
	till, formed = string.match(entries[count][1], '^%d+'), string.format('%d', now)
	set('end', till)
	set('formed', formed)
end
return {redis.call('HGET', outboxState, 'name') or '', till, formed, string.format('%d', now), get(sink, 'given') or '0', entries,
	get(sink, 'held') or '', get(sink, 'held number') or '0'}
