-- Reads a document.
-- ARGV: …, 1 if the caller follows the document and wants only the entries after what it knows;
--       this counts as a use of the document, …
if ARGV[6] == '1' and doc.v > 0 and doc.ttl > 0 then
	local over = tonumber(redis.call('ZSCORE', ends, name) or '0')
	if over - nowMs() < doc.ttl * 3 / 4 then
		extendTTL(doc.ttl)
	end
end
return answerCaller(ARGV[6] == '1')
