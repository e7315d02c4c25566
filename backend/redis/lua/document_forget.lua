-- Removes a document.
-- ARGV: …, epoch and version that it must have (empty: any), …
-- Returns 1, or 0 if it has another epoch or version.
if ARGV[6] ~= '' and (ARGV[6] ~= doc.e or ARGV[7] ~= text(doc.v)) then
	return 0
end
if doc.v > 0 then
	removeDocument()
	redis.call('PUBLISH', topic, 'r' .. doc.e)
end
return 1
