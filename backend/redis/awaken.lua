-- Replaces the secret behind the epochs of rooms without messages. KEYS: the secret.
-- ARGV: the new one; empty: nothing is done, and that Redis knows the script is the answer.
if ARGV[1] ~= '' then
	redis.call('SET', KEYS[1], ARGV[1])
end
