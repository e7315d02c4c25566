-- The shared part of the scripts that compute the epoch of a log before its first message.
-- Redis stores nothing of such a log. Its epoch is a hash of its name, the day and a secret of
-- this Redis. So clients that saw the log empty continue in the same epoch when it has
-- messages. A log with messages is kept for longer than a day, so the next log of its name has
-- another epoch.
local day, hour, minute = 86400000, 3600000, 60000

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- Reads the secret. If there is none, it stores fresh as the secret.
local function readSecret(key, fresh)
	local secret = redis.call('GET', key)
	if not secret then
		secret = fresh
		redis.call('SET', key, secret)
	end
	return secret
end

-- A secret that replace_secret.lua wrote has three words: a random one, the end of the settle
-- time, and the previous secret, which may have words itself. Scripts hash the whole text.

-- Reports whether the settle time is running: nodes may still have to send the epochs of rooms
-- that had no messages before Redis restarted. The clocks of servers differ, so an end that is
-- too far away does not count.
local function isUnsettled(secret)
	local ends = tonumber(string.match(secret, '^%S+ (%d+) ') or '0')
	return ends > now and ends <= now + minute
end

-- Returns the error for calls during the settle time.
local function unsettledReply()
	return redis.error_reply('UNSETTLED Redis has restarted, and this room has no messages')
end

-- Returns the previous secret, or nil.
local function previousSecret(secret)
	return string.match(secret, '^%S+ %d+ (.+)$')
end

-- Returns the epoch at a time. The day starts at another time for each name.
local function emptyEpoch(secret, name, at)
	local shift = tonumber(string.sub(redis.sha1hex(name), 1, 7), 16) % day
	local number = string.format('%d', math.floor((at + shift) / day))
	return string.sub(redis.sha1hex(secret .. ':' .. number .. ':' .. name), 1, 12)
end
