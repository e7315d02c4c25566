package protocol

import "strconv"

// anchorLen is the length of an anchor in text.
const anchorLen = 8

// AppendAnchor appends an anchor as 8 lower-case hexadecimal digits.
func AppendAnchor(dst []byte, anchor uint32) []byte {
	const digits = "0123456789abcdef"
	for shift := 28; shift >= 0; shift -= 4 {
		dst = append(dst, digits[anchor>>shift&15])
	}
	return dst
}

// ParseAnchor reads what [AppendAnchor] wrote. The anchor 0 means unknown and has
// no text.
func ParseAnchor(s string) (anchor uint32, ok bool) {
	if len(s) != anchorLen {
		return 0, false
	}
	for i := range len(s) {
		if c := s[i]; !('0' <= c && c <= '9' || 'a' <= c && c <= 'f') {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(s, 16, 32)
	return uint32(n), err == nil && n != 0
}

// appendAnchorField appends the field `anchor`; nothing when it is unknown.
func appendAnchorField(dst []byte, anchor uint32) []byte {
	if anchor == 0 {
		return dst
	}
	dst = append(dst, `,"anchor":"`...)
	return append(AppendAnchor(dst, anchor), '"')
}
