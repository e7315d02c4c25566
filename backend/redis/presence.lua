-- What the scripts that change members share. A member has a list of holds, one for
-- each node that holds it: {node, when it was said, rank of the status, status, info,
-- how long to remember it}. It is packed, and nothing but scripts reads it. What a
-- member shows to others is a text: the length of the status in two bytes, the
-- status, the info.
-- KEYS: holds, looks, index of the room's members; those who left, index and expiry
--       of these; counters; members that the node holds, the number of its latest
--       script in the room; rooms in which it holds any; leases; steps by node
-- ARGV: node, Pub/Sub channel, room, number of the script, then what each script says
local holds, looks, index = KEYS[1], KEYS[2], KEYS[3]
local gone, goneIndex, goneExpiry = KEYS[4], KEYS[5], KEYS[6]
local counters, held, latest, rooms, leases, steps = KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12]
local node, channel, room, number = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local maxGone = 10000

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local events = {}

-- Reports that the script was overtaken by one that the node sent later, or comes a
-- second time: what was stuck in a broken connection may arrive at any time.
local function overtaken()
	if number <= tonumber(redis.call('GET', latest) or '0') then
		return true
	end
	redis.call('SET', latest, ARGV[4], 'PX', 3600000)
	return false
end

-- Counts what the node has had executed, by which it sees whether Redis went back in
-- time. Of a node without a lease nothing is kept.
local function step()
	return redis.call('ZSCORE', leases, node) and redis.call('HINCRBY', steps, node, 1) or -1
end

local function tell(kind, key, look)
	events[#events + 1] = kind .. struct.pack('>I4I4', #key, #look) .. key .. look
end

-- Decides what a member shows that several nodes hold: of the statuses the highest,
-- of equal ones the latest; of the infos the latest that is not empty.
local function choose(list)
	local status, info = list[1], list[1]
	for i = 2, #list do
		local h = list[i]
		if h[3] > status[3] or h[3] == status[3] and h[2] > status[2] then
			status = h
		end
		if info[5] == '' or h[5] ~= '' and h[2] > info[2] then
			info = h
		end
	end
	return struct.pack('>I2', #status[4]) .. status[4] .. info[5]
end

local function forget(key)
	if redis.call('HDEL', gone, key) == 1 then
		redis.call('ZREM', goneIndex, key)
		redis.call('ZREM', goneExpiry, key)
	end
end

local function remember(key, look, seen, expires)
	redis.call('HSET', gone, key, string.format('%d', seen) .. ':' .. look)
	redis.call('ZADD', goneIndex, 0, key)
	redis.call('ZADD', goneExpiry, string.format('%d', expires), key)
	if redis.call('ZCARD', goneExpiry) > maxGone then
		forget(redis.call('ZRANGEBYSCORE', goneExpiry, '-inf', '+inf', 'LIMIT', 0, 1)[1])
	end
	local last = redis.call('ZREVRANGEBYSCORE', goneExpiry, '+inf', '-inf', 'WITHSCORES', 'LIMIT', 0, 1)[2]
	for _, k in ipairs({gone, goneIndex, goneExpiry}) do
		redis.call('PEXPIREAT', k, string.format('%d', tonumber(last)))
	end
end

-- Notes what a member's list is now, and what has happened.
local function settle(key, list, was)
	local look = choose(list)
	redis.call('HSET', holds, key, cmsgpack.pack(list))
	if look == was then
		return
	end
	redis.call('HSET', looks, key, look)
	if was then
		tell('~', key, look)
		return
	end
	redis.call('ZADD', index, 0, key)
	forget(key)
	tell('+', key, look)
end

-- Takes away what the node holds of a member, which was last seen some time ago.
local function leave(key, ago)
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
		settle(key, list, was)
		return
	end
	redis.call('HDEL', holds, key)
	redis.call('HDEL', looks, key)
	redis.call('ZREM', index, key)
	tell('-', key, was)
	if left and left[6] > 0 then
		remember(key, was, now - ago, now + left[6])
	end
end

-- Tells all nodes, with a number that shows them whether they missed anything.
local function finish()
	if redis.call('SCARD', held) == 0 then
		redis.call('SREM', rooms, room)
	else
		redis.call('SADD', rooms, room)
	end
	if #events > 0 then
		local n = redis.call('HINCRBY', counters, 'n', 1)
		redis.call('PUBLISH', channel, string.format('%d', n) .. ':' .. table.concat(events))
	end
	if redis.call('ZCARD', index) == 0 then
		redis.call('PEXPIRE', counters, 86400000)
	else
		redis.call('PERSIST', counters)
	end
end
