-- The shared part of the scripts that change members.
-- A member has a list of holds, one for each node that holds it: {node, number of the change,
-- rank of the status, status, info, for how long to remember it, owner}. The list is packed; only
-- scripts read it. A look is what a member shows to others, as a text: owner in one byte, length
-- of the status in one byte, status, info.
-- KEYS: holds, looks, index of the room's members; the members who left, with index and expiry;
--       counters; members that the node holds; the number of its latest script in the room;
--       rooms in which it holds any; leases; steps by node; the members who left any room: by
--       the time they left, by the time they are forgotten, and the number of their bytes
-- ARGV: node, Pub/Sub channel, room, number of the script, for how long in ms to keep it, how
--       many members who left any room to remember, and how many bytes of them; from firstArg
--       on those of each script
local holds, looks, index = KEYS[1], KEYS[2], KEYS[3]
local gone, goneIndex, goneExpiry = KEYS[4], KEYS[5], KEYS[6]
local counters, held, latest, rooms, leases, steps = KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12]
local all, allEnds, books = KEYS[13], KEYS[14], KEYS[15]
local node, channel, room, number = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local most, mostBytes = tonumber(ARGV[6]), tonumber(ARGV[7])
local firstArg, maxGone = 8, 10000
-- For how long in ms the counters of an empty room stay.
local countersStay = 10000
-- The bytes that it takes to remember the only member who left a room, besides the texts.
local goneBytes = 1024

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local events, added = {}, 0

-- Reports whether the script is late: the node sent a later script that was executed first, or
-- this script arrives a second time. A script that was stuck in a broken connection may arrive
-- at any time. The number of the latest script is kept until the node says, with a lease, that
-- it waits for no lower number.
local function isOvertaken()
	local from = redis.call('HGET', steps, node .. ':from') or '0'
	if number < tonumber(from) or number <= tonumber(redis.call('GET', latest) or '0') then
		return true
	end
	redis.call('SET', latest, ARGV[4], 'PX', ARGV[5])
	return false
end

-- Counts a script of the node. The node sees by the number whether Redis went back in time.
-- Nothing is counted for a node without a lease.
local function countStep()
	return redis.call('ZSCORE', leases, node) and redis.call('HINCRBY', steps, node, 1) or -1
end

local function addEvent(kind, key, look)
	local letter = kind == '+' and 'e' or kind == '-' and 'l'
	if recordEvent and letter and string.find(recordWith, letter, 1, true) then
		recordEvent(letter == 'e' and 'entered' or 'left', room, struct.pack('>I4', #key) .. key .. look)
	end
	events[#events + 1] = kind .. struct.pack('>I4I4', #key, #look) .. key .. look
end

-- Chooses what a member shows that several nodes hold: the status with the highest rank, the
-- latest of equal ones, and the latest info that is not empty. The owner is 0, for either, if the
-- nodes do not agree.
local function chooseLook(list)
	local status, info, owner = list[1], list[1], list[1][7]
	for i = 2, #list do
		local h = list[i]
		if h[3] > status[3] or h[3] == status[3] and h[2] > status[2] then
			status = h
		end
		if info[5] == '' or h[5] ~= '' and h[2] > info[2] then
			info = h
		end
		if h[7] ~= owner then
			owner = 0
		end
	end
	return struct.pack('BB', owner or 0, #status[4]) .. status[4] .. info[5]
end

-- Returns the name of a member who left, for the index of all rooms. It starts with the number
-- of bytes that the member takes: the texts are in five places.
local function leftName(of, key, value)
	return struct.pack('>I4I2', goneBytes + 5 * (#of + #key) + #value, #of) .. of .. key
end

-- Removes a member who left from the index of all rooms.
local function removeFromAllRooms(name)
	if redis.call('ZREM', all, name) == 1 then
		redis.call('ZREM', allEnds, name)
		redis.call('HINCRBY', books, 'bytes', string.format('%d', -struct.unpack('>I4', name)))
	end
end

local function forgetLeft(key)
	local value = redis.call('HGET', gone, key)
	if value then
		redis.call('HDEL', gone, key)
		redis.call('ZREM', goneIndex, key)
		redis.call('ZREM', goneExpiry, key)
		removeFromAllRooms(leftName(room, key, value))
	end
end

local function rememberLeft(key, look, seen, expires)
	local value, ends = string.format('%d', seen) .. ':' .. look, string.format('%d', expires)
	forgetLeft(key)
	redis.call('HSET', gone, key, value)
	redis.call('ZADD', goneIndex, 0, key)
	redis.call('ZADD', goneExpiry, ends, key)
	local name = leftName(room, key, value)
	if redis.call('ZADD', all, string.format('%d', now), name) == 1 then
		redis.call('HINCRBY', books, 'bytes', string.format('%d', (struct.unpack('>I4', name))))
	end
	redis.call('ZADD', allEnds, ends, name)
	added = added + 1
	if redis.call('ZCARD', goneExpiry) > maxGone then
		forgetLeft(redis.call('ZRANGEBYSCORE', goneExpiry, '-inf', '+inf', 'LIMIT', 0, 1)[1])
	end
end

-- Forgets a member who left any room, unless it has come and left again since.
local function forgetLeftAnywhere(name)
	local size, length, at = struct.unpack('>I4I2', name)
	local of, key = string.sub(name, at, at + length - 1), string.sub(name, at + length)
	local prefix = string.sub(gone, 1, -#room - 6)
	local function keyOf(kind)
		return prefix .. kind .. ':{' .. of .. '}'
	end
	-- While a slot moves, the room may be on another server.
	local value = redis.pcall('HGET', keyOf('pg'), key)
	if type(value) == 'string' and leftName(of, key, value) == name then
		redis.call('HDEL', keyOf('pg'), key)
		redis.pcall('ZREM', keyOf('pgi'), key)
		redis.pcall('ZREM', keyOf('pge'), key)
	end
	removeFromAllRooms(name)
end

-- Lets keys expire together with the last member in an index of expiry times.
local function expireWithLast(ends, keys)
	local last = redis.call('ZREVRANGEBYSCORE', ends, '+inf', '-inf', 'WITHSCORES', 'LIMIT', 0, 1)[2]
	for _, k in ipairs(keys) do
		if last then
			redis.call('PEXPIREAT', k, string.format('%d', tonumber(last)))
		else
			redis.call('DEL', k)
		end
	end
end

-- Forgets members whose time is over, and if there are too many those who left first.
local function enforceBounds()
	local over = redis.call('ZRANGEBYSCORE', allEnds, '-inf', string.format('%d', now), 'LIMIT', 0, 2 * added + 16)
	for _, name in ipairs(over) do
		forgetLeftAnywhere(name)
	end
	while redis.call('ZCARD', all) > most or tonumber(redis.call('HGET', books, 'bytes') or '0') > mostBytes do
		local first = redis.call('ZRANGE', all, 0, 0)[1]
		if not first then
			break
		end
		forgetLeftAnywhere(first)
	end
	expireWithLast(goneExpiry, {gone, goneIndex, goneExpiry})
	expireWithLast(allEnds, {all, allEnds, books})
end

-- Saves the holds of a member, and adds an event if its look changed.
local function saveMember(key, list, was)
	local look = chooseLook(list)
	redis.call('HSET', holds, key, cmsgpack.pack(list))
	if look == was then
		return
	end
	redis.call('HSET', looks, key, look)
	if was then
		addEvent('~', key, look)
		return
	end
	redis.call('ZADD', index, 0, key)
	forgetLeft(key)
	addEvent('+', key, look)
end

-- Removes what the node holds of a member, which was last seen ago ms ago.
local function leaveMember(key, ago)
	local packed = redis.call('HGET', holds, key)
	if redis.call('SREM', held, key) == 0 or not packed then
		return
	end
	local list, left = {}, nil
	for _, h in ipairs(cmsgpack.unpack(packed)) do
		if h[1] == node then
			left = h
		else
			list[#list + 1] = h
		end
	end
	local was = redis.call('HGET', looks, key)
	if #list > 0 then
		saveMember(key, list, was)
		return
	end
	redis.call('HDEL', holds, key)
	redis.call('HDEL', looks, key)
	redis.call('ZREM', index, key)
	addEvent('-', key, was)
	if left and left[6] > 0 then
		rememberLeft(key, was, now - ago, now + left[6])
	end
end

-- Publishes the events to all nodes, with a number that shows whether they missed any.
local function publishEvents()
	if redis.call('SCARD', held) == 0 then
		redis.call('SREM', rooms, room)
	else
		redis.call('SADD', rooms, room)
	end
	if added > 0 then
		enforceBounds()
	end
	if #events > 0 then
		local n = redis.call('HINCRBY', counters, 'n', 1)
		if n == 1 then
			-- It is greater than every earlier number. A node that knows one of those sees a
			-- gap.
			n = clock[1] * 1000000 + clock[2]
			redis.call('HSET', counters, 'n', string.format('%d', n))
		end
		redis.call('PUBLISH', channel, string.format('%d', n) .. ':' .. table.concat(events))
	end
	if redis.call('ZCARD', index) == 0 then
		redis.call('PEXPIRE', counters, countersStay)
	else
		redis.call('PERSIST', counters)
	end
end
