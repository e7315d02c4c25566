-- Reads a document. ARGV: 1 if only the way from what is known is wanted.
return answer(ARGV[7] == '1')
