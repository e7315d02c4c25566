-- Follows outbox.lua in scripts that record an event beside what they do. It takes one more argument off
-- the end: what the script needs for that.
local recordWith = ARGV[#ARGV]
ARGV[#ARGV] = nil
