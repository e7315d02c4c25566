-- The shared part of the scripts of senders, behind outbox.lua.
-- A sink has the fields owner, until, fence, done, end, formed, given, closed, held and held number,
-- after its name and a colon. The set sinks is the text of their names, each with a line break.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local sink = ARGV[1]
local function get(name, field)
	return redis.call('HGET', outboxState, name .. ':' .. field)
end
local function set(field, value)
	redis.call('HSET', outboxState, sink .. ':' .. field, value)
end
local function number(v)
	return tonumber(v or '0')
end
local function sinks()
	local names = {}
	for name in string.gmatch(redis.call('HGET', outboxState, 'sinks') or '', '([^\n]+)\n') do
		names[#names + 1] = name
	end
	return names
end
-- Removes the events that all sinks have.
local function trim()
	local s = readOutbox()
	local done = s.seq
	for _, name in ipairs(sinks()) do
		if get(name, 'closed') ~= '1' then
			done = math.min(done, number(get(name, 'done')))
		end
	end
	local last = redis.call('XREVRANGE', outboxStream, string.format('%d', done), '-', 'COUNT', 1)[1]
	if not last then
		return
	end
	for i = 1, #last[2], 2 do
		if last[2][i] == 'b' then
			redis.call('HSET', outboxState, 'f', last[2][i + 1])
		end
	end
	local gone = redis.call('XTRIM', outboxStream, 'MINID', string.format('%d', done + 1))
	redis.call('HINCRBY', outboxState, 'n', -gone)
end
local function holds()
	return get(sink, 'fence') == ARGV[2] and number(get(sink, 'until')) > 0
end
