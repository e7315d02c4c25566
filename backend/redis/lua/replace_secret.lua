-- Replaces the secret behind the epochs of rooms without messages.
-- KEYS: the secret
-- ARGV: what the new one begins with; empty: nothing is done, and the reply tells that
--       Redis knows the script. What the secret was; empty: there was none. For how long
--       in ms rooms are unsettled.
-- The new secret ends in the old one: see blank.lua.
local old = redis.call('GET', KEYS[1])
if ARGV[1] == '' or (old or '') ~= ARGV[2] then
	return 0 -- nothing is to be done, or another node was first
end
local secret = ARGV[1]
if old and #old < 400 then -- about a dozen starts
	local clock = redis.call('TIME')
	local ends = clock[1] * 1000 + math.floor(clock[2] / 1000) + ARGV[3]
	secret = secret .. ' ' .. string.format('%d', ends) .. ' ' .. old
end
redis.call('SET', KEYS[1], secret)
return 1
