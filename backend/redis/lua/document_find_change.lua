-- Finds the version of a change.
-- KEYS: head, the key of the change
-- Returns the version, or 0.
local g, version = string.match(redis.call('GET', KEYS[2]) or '', '^(%w+):(%d+):')
if g and g == redis.call('HGET', KEYS[1], 'g') then
	return version
end
return '0'
