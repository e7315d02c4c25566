package api

import (
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/api/problem"
	"github.com/caddy-realtime/caddy-realtime/internal/pace"
	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// bodyLimit is the size in bytes up to which the body of a single message is read: the
// greatest content, as much again for white space, and the members around it. The size of
// the content itself is checked later.
func (c *call) bodyLimit() int64 { return 2*int64(c.o.Registry.MessageSize()) + 4<<10 }

// read reads the body, up to limit.
func (c *call) read(limit int64) ([]byte, *protocol.Error) {
	body, err := io.ReadAll(c.body(limit))
	if e := problem.ReadError(err, limit); e != nil {
		return nil, e
	}
	return body, c.confirm()
}

// readJSON reads a body of any JSON value.
func (c *call) readJSON(limit int64) ([]byte, *protocol.Error) {
	body, e := c.read(limit)
	if e == nil {
		e = validJSON(body)
	}
	return body, e
}

// confirm checks the caller again after the body was read, which may have taken long.
func (c *call) confirm() *protocol.Error {
	if c.o.Confirm == nil {
		return nil
	}
	return c.o.Confirm()
}

// body returns a reader of the body up to limit. The client must send it in time. It counts
// as held while the request lasts.
func (c *call) body(limit int64) io.Reader {
	return c.memory.Body(pace.NewBody(c.w, http.MaxBytesReader(c.w, c.r.Body, limit)))
}

// jsonType is the media type of all bodies except raw contents and patches.
const jsonType = "application/json"

// bodyIsJSON reports whether the body is JSON by its Content-Type. If it is not, bodyIsJSON
// has answered.
func (c *call) bodyIsJSON() bool {
	media, ok := c.mediaType()
	if ok && media != jsonType {
		c.unsupported("send application/json")
		return false
	}
	return ok
}

// mediaType returns the media type of the body, or an empty string if the client sent none.
// It returns false if the body can not be published; then it has answered.
func (c *call) mediaType() (media string, ok bool) {
	if coding := c.r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		c.w.Header().Set("Accept-Encoding", "identity")
		c.unsupported("send the body without a Content-Encoding")
		return "", false
	}
	header := c.r.Header.Get("Content-Type")
	if header == "" {
		return "", true
	}
	media, params, err := mime.ParseMediaType(header)
	switch charset := params["charset"]; {
	case err != nil:
		c.unsupported("the header Content-Type can not be parsed; send application/json, or text/plain for a plain text")
	case charset != "" && !strings.EqualFold(charset, "utf-8") && !strings.EqualFold(charset, "us-ascii"):
		c.unsupported("the charset is not supported; send text in UTF-8")
	case media == "application/x-www-form-urlencoded", strings.HasPrefix(media, "multipart/"):
		// Many programs send JSON with this type by default. It would be published
		// as a string.
		c.unsupported("forms are not accepted; send application/json, or text/plain for a plain text")
	default:
		return media, true
	}
	return "", false
}

func (c *call) unsupported(detail string) {
	problem.WriteStatus(c.w, http.StatusUnsupportedMediaType, detail)
}

// maxOrder is the greatest body of a request that tells the server to do something, in
// bytes.
const maxOrder = 4 << 10

// order reads a body that may be empty: a JSON object with no other members than the named
// ones.
func (c *call) order(names ...string) (object, *protocol.Error) {
	body, e := c.read(maxOrder)
	if e != nil || len(body) == 0 {
		return nil, e
	}
	// A browser lets a page of another site send any body that is not declared as JSON.
	if media, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type")); err != nil || media != jsonType {
		return nil, protocol.Errorf(protocol.InvalidMessage, "send the body as application/json")
	}
	if e := validJSON(body); e != nil {
		return nil, e
	}
	return decodeObject(body, names...)
}

// limit reads the parameter for the length of a page.
func limit(query url.Values, usual, most int) (int, *protocol.Error) {
	s := query.Get("limit")
	if s == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > most {
		return 0, protocol.Errorf(protocol.InvalidMessage, "the parameter limit is %s; it must be an integer from 0 to %d", protocol.Quote(s), most)
	}
	return n, nil
}

// flag reads a parameter that is true or false. Its name alone means true.
func flag(query url.Values, name string, usual bool) (bool, *protocol.Error) {
	if !query.Has(name) {
		return usual, nil
	}
	switch s := query.Get(name); s {
	case "", "true":
		return true, nil
	case "false":
		return false, nil
	default:
		return false, protocol.Errorf(protocol.InvalidMessage, "the parameter %s is %s; it must be true or false", name, protocol.Quote(s))
	}
}
