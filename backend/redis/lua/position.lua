-- Reads the position of a room.
-- KEYS: meta, secret
-- ARGV: a secret if there is none, time to live of the meta in ms, the epoch that the
--       subscribers of the caller were told while there was no message (empty: none)
-- Returns the position.
local meta = redis.call('HMGET', KEYS[1], 'e', 's', 'a')
-- For how long to keep the epoch of a room without messages after its day.
local kept = 10 * minute
if not meta[1] then
	local secret, known = readSecret(KEYS[2], ARGV[1]), ARGV[3]
	local epoch = emptyEpoch(secret, KEYS[1], now)
	-- Subscribers who are in the room when its day ends stay in the epoch of that day.
	local stays = known ~= '' and known ~= emptyEpoch(secret, KEYS[1], now + 5 * minute)
			and (known == epoch or known == emptyEpoch(secret, KEYS[1], now - hour))
	-- So do subscribers who saw the room without messages before Redis restarted.
	local old = previousSecret(secret)
	while old and known ~= '' and not stays do
		stays = known == emptyEpoch(old, KEYS[1], now) or known == emptyEpoch(old, KEYS[1], now - hour)
		old = previousSecret(old)
	end
	if not stays and isUnsettled(secret) then
		return unsettledReply()
	end
	if stays then
		epoch = known
		local set = redis.pcall('HSET', KEYS[1], 'e', epoch) -- a full Redis rejects it
		if type(set) == 'number' then
			redis.call('PEXPIRE', KEYS[1], kept)
		end
	end
	return epoch .. ':0:0'
end
redis.call('PEXPIRE', KEYS[1], meta[2] and ARGV[2] or kept)
return meta[1] .. ':' .. (meta[2] or '0') .. ':' .. (meta[3] or '0')
