-- Ends a batch, or a claim.
-- ARGV: sink, fence, 0 if the batch is done, 1 if the app wants no more events, 2 to release the claim,
--       how many events the app did not get, the last number of the batch, the events that the
--       sink holds back from now on, the number of what it held before
-- Returns 1. Returns 0, and does nothing, if another sender has the sink.
if not holds() or not get(sink, 'owner') then
	return 0
end
if ARGV[3] == '2' then
	redis.call('HDEL', outboxState, sink .. ':owner')
	set('until', string.format('%d', now))
	return 1
end
local till = get(sink, 'end')
if (till or '0') ~= ARGV[5] or (get(sink, 'held number') or '0') ~= ARGV[7] then
	return 1 -- the script arrives a second time, and this batch is over
end
if ARGV[6] ~= '' then
	set('held', ARGV[6])
	redis.call('HINCRBY', outboxState, sink .. ':held number', 1)
elseif get(sink, 'held') then
	redis.call('HDEL', outboxState, sink .. ':held')
	redis.call('HINCRBY', outboxState, sink .. ':held number', 1)
end
if ARGV[3] ~= '1' and not till then
	return 1
end
if ARGV[3] == '1' then
	set('closed', '1')
	set('done', string.format('%d', readOutbox().seq))
	redis.call('HDEL', outboxState, sink .. ':owner', sink .. ':end', sink .. ':given', sink .. ':held')
else
	set('done', till)
	set('given', ARGV[4])
	redis.call('HDEL', outboxState, sink .. ':end')
end
trim()
return 1
