-- Replaces the secret from which the epochs of rooms without messages are computed.
-- KEYS: the secret
-- ARGV: the first word of the new secret (empty: do nothing; the reply shows that Redis knows
--       the script); what the secret was (empty: there was none); the settle time in ms
-- The new secret ends in the old one: see empty_epoch.lua.
local old = redis.call('GET', KEYS[1])
if ARGV[1] == '' or (old or '') ~= ARGV[2] then
	return 0 -- there is nothing to do, or another node was first
end
local secret = ARGV[1]
if old and #old < 400 then -- about a dozen restarts
	local clock = redis.call('TIME')
	local ends = clock[1] * 1000 + math.floor(clock[2] / 1000) + ARGV[3]
	secret = secret .. ' ' .. string.format('%d', ends) .. ' ' .. old
end
redis.call('SET', KEYS[1], secret)
return 1
