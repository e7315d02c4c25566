package socketio

import (
	"bytes"
	"encoding/base64"
	"strconv"
)

// Binary data travels beside the JSON of a packet, which has placeholders for it. In a room a message
// is one JSON text, so the data stands in it as an object with the data in base64. Compact JSON has
// the texts below nowhere else: inside of a string their quotes would have a backslash.
var (
	placeholders = [][2][]byte{
		{[]byte(`{"_placeholder":true,"num":`), []byte(`}`)},
		{[]byte(`{"num":`), []byte(`,"_placeholder":true}`)},
	}
	embedded = []byte(`{"_base64":"`)
)

// embed replaces the placeholders of a packet by its attachments. The result has at most limit
// bytes. ok is false if a placeholder names no attachment, or one that another has named.
func embed(text []byte, attachments [][]byte, limit int) (out []byte, tooLarge, ok bool) {
	used := make([]bool, len(attachments))
	out = make([]byte, 0, len(text))
	for {
		at, end, num := nextPlaceholder(text)
		if at < 0 {
			break
		}
		if num < 0 || num >= len(attachments) || used[num] {
			return nil, false, false
		}
		used[num] = true
		out = append(append(out, text[:at]...), embedded...)
		out = append(base64.StdEncoding.AppendEncode(out, attachments[num]), `"}`...)
		if text = text[end:]; len(out)+len(text) > limit {
			return nil, true, true
		}
	}
	return append(out, text...), false, true
}

// nextPlaceholder returns where the first placeholder is, and its number; at is -1 if there is none.
func nextPlaceholder(text []byte) (at, end, num int) {
	at = -1
	for _, form := range placeholders {
		a, e, n := findPlaceholder(text, form[0], form[1])
		if a >= 0 && (at < 0 || a < at) {
			at, end, num = a, e, n
		}
	}
	return at, end, num
}

// findPlaceholder finds head, a number and tail.
func findPlaceholder(text, head, tail []byte) (at, end, num int) {
	for from := 0; ; {
		i := bytes.Index(text[from:], head)
		if i < 0 {
			return -1, 0, 0
		}
		at = from + i
		rest := text[at+len(head):]
		digits := countDigits(rest)
		if digits > 0 && bytes.HasPrefix(rest[digits:], tail) {
			num, err := strconv.Atoi(string(rest[:digits]))
			if err != nil {
				num = -1
			}
			return at, at + len(head) + digits + len(tail), num
		}
		from = at + len(head)
	}
}

// extract is the reverse of embed. What is not base64, and what is beyond the most attachments
// that a packet may have, stays as it is.
func extract(text []byte) (out []byte, attachments [][]byte) {
	out = make([]byte, 0, len(text))
	for len(attachments) < maxAttachments {
		at := bytes.Index(text, embedded)
		if at < 0 {
			break
		}
		begin := at + len(embedded)
		length := bytes.Index(text[begin:], []byte(`"}`))
		if length < 0 {
			break
		}
		coded := bytes.ReplaceAll(text[begin:begin+length], []byte(`\/`), []byte(`/`))
		data, err := base64.StdEncoding.AppendDecode(nil, coded)
		if err != nil {
			out, text = append(out, text[:begin]...), text[begin:]
			continue
		}
		out = append(append(out, text[:at]...), placeholders[0][0]...)
		out = append(strconv.AppendInt(out, int64(len(attachments)), 10), '}')
		attachments, text = append(attachments, data), text[begin+length+2:]
	}
	return append(out, text...), attachments
}
