-- Removes a document. ARGV: epoch and version that it has to have (empty: any).
-- Gives whether it had them.
if ARGV[6] ~= '' and (ARGV[6] ~= doc.e or ARGV[7] ~= text(doc.v)) then
	return 0
end
if doc.v > 0 then
	removeDocument()
	redis.call('PUBLISH', topic, 'r' .. doc.e)
end
return 1
