package socketio

import (
	"bytes"
	"encoding/json"
)

// elements splits an array of compact, valid JSON into the texts of its elements. They share the
// memory of the array.
func elements(array []byte) (all [][]byte) {
	if len(array) <= 2 {
		return nil
	}
	depth, quoted, start := 0, false, 1
	for i := 1; i < len(array)-1; i++ {
		switch c := array[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			depth--
		case c == ',' && depth == 0:
			all, start = append(all, array[start:i]), i+1
		}
	}
	return append(all, array[start:len(array)-1])
}

// eventName returns the name of an event, which is the first element of its packet: a string or a
// number.
func eventName(all [][]byte) (name string, ok bool) {
	if len(all) == 0 {
		return "", false
	}
	switch c := all[0][0]; {
	case c == '"':
		return textOf(all[0])
	case c == '-' || '0' <= c && c <= '9':
		return string(all[0]), true
	}
	return "", false
}

// textOf returns a JSON string without quotes and escapes.
func textOf(raw []byte) (text string, ok bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", false
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), true
	}
	return text, json.Unmarshal(raw, &text) == nil
}

// arrayOf joins the texts of elements to an array.
func arrayOf(all [][]byte) json.RawMessage {
	text := append(make([]byte, 0, 2+sizeOf(all)), '[')
	for i, e := range all {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(text, e...)
	}
	return append(text, ']')
}

func sizeOf(all [][]byte) (n int) {
	for _, e := range all {
		n += len(e) + 1
	}
	return n
}
