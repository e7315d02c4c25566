-- Records an event of a dialect.
-- ARGV: type, channel, data
recordEvent(ARGV[1], ARGV[2], ARGV[3])
return 1
