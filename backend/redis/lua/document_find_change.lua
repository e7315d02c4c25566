-- Finds the version that a change led to. KEYS: head, the key of the change.
local g, version = string.match(redis.call('GET', KEYS[2]) or '', '^(%w+):(%d+):')
if g and g == redis.call('HGET', KEYS[1], 'g') then
	return version
end
return '0'
