-- The shared part of the scripts that record events for the app. It takes its keys and arguments
-- off the end, so that the rest of the script sees its own alone.
-- The queue is a stream. The id of an entry is its number. Its fields: k, the type; c, the
-- channel; d, the data; b, the sum of the bytes of all entries up to it. State is a hash: seq, the
-- greatest number; b, the sum of all bytes; f, the sum at the last removed entry; n, the number
-- of entries; lost, how many events were dropped since the last entry; waits, if a sender waits.
-- KEYS: …, state, stream
-- ARGV: …, entries and bytes that may wait, for how long in ms to keep them without a sender, the
--       Pub/Sub channel that wakes senders
local outboxState, outboxStream = KEYS[#KEYS - 1], KEYS[#KEYS]
local outboxEvents, outboxBytes = tonumber(ARGV[#ARGV - 3]), tonumber(ARGV[#ARGV - 2])
local outboxKeep, outboxTopic = ARGV[#ARGV - 1], ARGV[#ARGV]
KEYS[#KEYS] = nil
KEYS[#KEYS] = nil
for _ = 1, 4 do
	ARGV[#ARGV] = nil
end

-- Appends an event. Returns whether Redis has taken it.
local function pushEvent(s, kind, channel, data)
	local clock = redis.call('TIME')
	local bytes = s.b + 160 + #channel + #data
	s.seq = math.max(s.seq + 1, clock[1] * 1000000 + clock[2])
	local function add()
		return redis.pcall('XADD', outboxStream, string.format('%d-0', s.seq), 'k', kind, 'c', channel, 'd', data,
			'b', string.format('%d', bytes), 't', string.format('%d', clock[1] * 1000 + math.floor(clock[2] / 1000)))
	end
	local added = add()
	if type(added) == 'table' and added.err then
		-- The state was lost, but not the stream.
		local last = redis.call('XREVRANGE', outboxStream, '+', '-', 'COUNT', 1)[1]
		if not last then
			return false
		end
		s.seq = tonumber(string.match(last[1], '^%d+')) + 1
		added = add()
		if type(added) == 'table' and added.err then
			return false
		end
	end
	s.n, s.b = s.n + 1, bytes
	return true
end

local function readOutbox()
	local v = redis.call('HMGET', outboxState, 'seq', 'b', 'f', 'n', 'lost', 'waits')
	return {seq = tonumber(v[1] or '0'), b = tonumber(v[2] or '0'), f = tonumber(v[3] or '0'), n = tonumber(v[4] or '0'),
		lost = tonumber(v[5] or '0'), waits = v[6]}
end

local function saveOutbox(s)
	redis.call('HSET', outboxState, 'seq', string.format('%d', s.seq), 'b', string.format('%d', s.b),
		'n', string.format('%d', s.n), 'lost', string.format('%d', s.lost))
end

-- Records an event, or notes that it is lost.
local function recordEvent(kind, channel, data)
	local s = readOutbox()
	if s.n >= outboxEvents or s.b - s.f + 160 + #channel + #data > outboxBytes then
		redis.call('HINCRBY', outboxState, 'lost', 1)
		return
	end
	local first = s.n == 0
	if s.lost > 0 and pushEvent(s, 'lost', '', string.format('%d', s.lost)) then
		s.lost = 0
	end
	if not pushEvent(s, kind, channel, data) then
		s.lost = s.lost + 1
	end
	saveOutbox(s)
	if first then
		redis.call('PEXPIRE', outboxStream, outboxKeep)
		redis.call('PEXPIRE', outboxState, outboxKeep)
	end
	if s.waits then
		redis.call('HDEL', outboxState, 'waits')
		redis.call('PUBLISH', outboxTopic, '')
	end
end
