-- What scripts share that tell the epoch of a log which has not begun. Nothing is kept of
-- such a log. Its epoch is a hash of its name, the day and a secret of this Redis, so that
-- whoever saw it empty goes on from there when it has begun. A log with messages is kept
-- for longer than a day, so that the next one of its name has another epoch.
local day, hour, minute = 86400000, 3600000, 60000

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- Reads the secret. If there is none, fresh becomes it.
local function readSecret(key, fresh)
	local secret = redis.call('GET', key)
	if not secret then
		secret = fresh
		redis.call('SET', key, secret)
	end
	return secret
end

-- If awaken.lua has replaced a secret, the new one is words: one of its own, until when
-- rooms are unsettled, and the secret before. Scripts hash all of it.

-- Reports that nodes may still have to say which rooms were empty before Redis began anew.
-- Clocks of servers differ: an end that is too far away is none.
local function isUnsettled(secret)
	local ends = tonumber(string.match(secret, '^%S+ (%d+) ') or '0')
	return ends > now and ends <= now + minute
end

-- The reply while rooms are unsettled.
local function unsettledReply()
	return redis.error_reply('UNSETTLED Redis has begun anew, and this room has no messages')
end

-- Gives the secret before this one, or nil.
local function previousSecret(secret)
	return string.match(secret, '^%S+ %d+ (.+)$')
end

-- Gives the epoch at a time. The day of each name begins at another time.
local function emptyEpoch(secret, name, at)
	local shift = tonumber(string.sub(redis.sha1hex(name), 1, 7), 16) % day
	local number = string.format('%d', math.floor((at + shift) / day))
	return string.sub(redis.sha1hex(secret .. ':' .. number .. ':' .. name), 1, 12)
end
