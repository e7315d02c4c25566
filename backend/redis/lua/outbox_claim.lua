-- Makes a sender the only one of a sink, or renews that.
-- ARGV: sink, owner, lease in ms, 1 to reopen, a name for the outbox, for how long in ms a sink stays
--       that nobody claims
-- Returns fence (0: another sender has it), whether the sink is closed, events, bytes, and the time of
-- the oldest event in ms.
if not redis.call('HGET', outboxState, 'name') then
	redis.call('HSET', outboxState, 'name', ARGV[5])
end
local names, known = '', false
for _, name in ipairs(sinks()) do
	known = known or name == sink
	if name == sink or now - number(get(name, 'until')) < tonumber(ARGV[6]) or get(name, 'closed') == '1' then
		names = names .. name .. '\n'
	else
		for _, field in ipairs({'owner', 'until', 'fence', 'done', 'end', 'formed', 'given', 'closed', 'held', 'held number'}) do
			redis.call('HDEL', outboxState, name .. ':' .. field)
		end
	end
end
if not known then
	names = names .. sink .. '\n'
	set('until', '0')
end
redis.call('HSET', outboxState, 'sinks', names)
local closed = get(sink, 'closed') == '1'
if closed and ARGV[4] == '1' then
	set('closed', '0')
	closed = false
end
local fence = 0
if closed then
	set('done', string.format('%d', readOutbox().seq))
elseif get(sink, 'owner') == ARGV[2] and get(sink, 'fence') then
	fence = number(get(sink, 'fence'))
elseif now >= number(get(sink, 'until')) or not get(sink, 'owner') then
	set('owner', ARGV[2])
	-- It grows with the clock, so that no earlier fence comes again after Redis has lost its data.
	fence = math.max(number(get(sink, 'fence')) + 1, clock[1] * 1000000 + clock[2])
	set('fence', string.format('%d', fence))
end
if fence > 0 then
	set('until', string.format('%d', now + ARGV[3]))
end
trim()
redis.call('PEXPIRE', outboxState, outboxKeep)
redis.call('PEXPIRE', outboxStream, outboxKeep)
local s, oldest = readOutbox(), '0'
local entry = redis.call('XRANGE', outboxStream, '-', '+', 'COUNT', 1)[1]
if entry then
	for i = 1, #entry[2], 2 do
		if entry[2][i] == 't' then
			oldest = entry[2][i + 1]
		end
	end
else
	redis.call('HSET', outboxState, 'n', '0', 'f', string.format('%d', s.b))
	s.n, s.f = 0, s.b
end
return {fence, closed and 1 or 0, s.n, string.format('%d', s.b - s.f), oldest}
