package ws

import (
	"net/http"
	"strings"
)

const (
	extensionHeader = "Sec-Websocket-Extensions"
	extensionName   = "permessage-deflate"
	// extensionAnswer is what the server accepts. The message that all members share has no
	// context of earlier ones; and a context of the client would cost 32 KiB for each
	// connection.
	extensionAnswer = extensionName + "; server_no_context_takeover; client_no_context_takeover"
)

// chooseDeflate accepts the first offer of permessage-deflate that can be met, and reports
// whether there is one.
func chooseDeflate(h http.Header, r *http.Request) bool {
	for _, line := range r.Header[extensionHeader] {
		for offer := range strings.SplitSeq(line, ",") {
			if answer, ok := acceptOffer(offer); ok {
				h[extensionHeader] = []string{answer}
				return true
			}
		}
	}
	return false
}

// acceptOffer returns the answer to an offer, or false for an offer that can not be met. RFC
// 7692 (section 7.1) says to decline unknown, repeated and malformed parameters.
func acceptOffer(offer string) (answer string, ok bool) {
	name, rest, more := strings.Cut(offer, ";")
	if strings.TrimSpace(name) != extensionName {
		return "", false
	}
	answer = extensionAnswer
	for seen := make(map[string]bool); more; {
		var parameter string
		parameter, rest, more = strings.Cut(rest, ";")
		key, value, valued := strings.Cut(parameter, "=")
		key, value = strings.TrimSpace(key), unquote(strings.TrimSpace(value))
		if seen[key] || !canMeet(key, value, valued) {
			return "", false
		}
		seen[key] = true
		if key == "server_max_window_bits" {
			answer += "; server_max_window_bits=15" // the offer needs its answer
		}
	}
	return answer, true
}

// canMeet reports whether the server can do what a parameter asks for. Its compressor always
// uses the largest window, of 15 bits, so it can not promise a smaller one. It reads messages
// of every window, so that the window of the client needs no answer.
func canMeet(key, value string, valued bool) bool {
	switch key {
	case "server_no_context_takeover", "client_no_context_takeover":
		return !valued
	case "server_max_window_bits":
		return value == "15"
	case "client_max_window_bits":
		return !valued || isWindow(value)
	}
	return false
}

// isWindow reports whether s is a number from 8 to 15 without leading zeros.
func isWindow(s string) bool {
	return s == "8" || s == "9" || len(s) == 2 && s[0] == '1' && s[1] >= '0' && s[1] <= '5'
}

// unquote returns the content of a quoted string.
func unquote(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}
