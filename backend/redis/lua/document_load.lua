-- Reads a document. ARGV: 1 if only the way from what is known is wanted, by somebody who
-- follows the document: that is a use of it.
if ARGV[6] == '1' and doc.v > 0 and doc.ttl > 0 then
	local over = tonumber(redis.call('ZSCORE', ends, name) or '0')
	if over - nowMs() < doc.ttl * 3 / 4 then
		extendTTL(doc.ttl)
	end
end
return answerCaller(ARGV[6] == '1')
