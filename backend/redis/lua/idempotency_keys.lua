-- The shared part of the scripts that remember idempotency keys.
-- There are three generations: young, old and dead. When the young one has half of the keys
-- that all rooms may have, it becomes the old one. The old one becomes the dead one, which is
-- deleted step by step and becomes the next young one. In each generation a room has a hash:
-- the result of each key, and under the empty text the number of keys. A set has the names of
-- these hashes.
-- KEYS: from firstKey on: the room's hashes of the generations 0 to 2; a hash of g, the young
--       generation, and n, its number of keys; the sets of the generations
-- ARGV: from firstArg on: for how long in ms to remember a key, how many keys of a room and of
--       all rooms to remember
local firstKey, firstArg
local g -- the young generation; set by recall

-- Returns the remembered result of a key, or nil.
local function recall(key)
	g = tonumber(redis.call('HGET', KEYS[firstKey + 3], 'g') or '0') % 3
	for _, i in ipairs({g, (g + 2) % 3}) do
		local value = redis.call('HGET', KEYS[firstKey + i], key)
		if value then
			local at, result = string.match(value, '^(%d+):(.*)$')
			if now - tonumber(at) < tonumber(ARGV[firstArg]) then
				return result
			end
		end
	end
end

-- Remembers the result of a key for which recall returned nil.
local function rememberResult(key, result)
	local window, ofRoom, ofAll = ARGV[firstArg], tonumber(ARGV[firstArg + 1]), tonumber(ARGV[firstArg + 2])
	local books, sets = KEYS[firstKey + 3], firstKey + 4
	local old, dead = (g + 2) % 3, (g + 1) % 3
	local young, name = KEYS[firstKey + g], string.sub(KEYS[firstKey], 1, -2)
	redis.call('HSET', young, key, string.format('%d:', now) .. result)
	redis.call('PEXPIRE', young, window)
	local count = redis.call('HINCRBY', young, '', 1)
	if count == 1 then
		redis.call('SADD', KEYS[sets + g], name)
		redis.call('PEXPIRE', KEYS[sets + g], 2 * window)
	end
	local all = redis.call('HINCRBY', books, 'n', 1)
	redis.call('PEXPIRE', books, 2 * window)
	if count >= ofRoom / 2 then
		-- The room has too many keys: its older ones are forgotten.
		local moved = redis.pcall('RENAME', young, KEYS[firstKey + old])
		if type(moved) == 'table' and moved.err then
			redis.call('DEL', young) -- the access list does not allow RENAME
		end
		redis.call('SREM', KEYS[sets + g], name)
		redis.call('SADD', KEYS[sets + old], name)
		redis.call('PEXPIRE', KEYS[sets + old], 2 * window)
		all = redis.call('HINCRBY', books, 'n', -count)
	end
	-- Deletes rooms of the dead generation faster than the young one gets new ones.
	for _, other in ipairs(redis.call('SRANDMEMBER', KEYS[sets + dead], 8)) do
		redis.pcall('DEL', other .. dead) -- while a slot moves, it may be on another server
		redis.call('SREM', KEYS[sets + dead], other)
	end
	if all >= ofAll / 2 then
		redis.call('HSET', books, 'g', dead, 'n', 0)
	end
end
