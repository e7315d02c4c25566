package api

import (
	"encoding/json"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/api/problem"
	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// The media types of patches.
const (
	mergePatch = "application/merge-patch+json"
	jsonPatch  = "application/json-patch+json"
)

// staleHeader says that the store can not be reached, and that the document may have
// newer versions.
const staleHeader = "Realtime-Stale"

// changed is the answer to a change of a document.
type changed struct {
	Epoch   string `json:"epoch"`
	Version uint64 `json:"version"`
	// Duplicate: the key was seen before, and nothing was changed this time.
	Duplicate bool `json:"duplicate,omitempty"`
}

// getDocument is GET /channels/{channel}/document.
func getDocument(c *call) *protocol.Error {
	snap, e := c.o.Registry.Documents.Read(c.r.Context(), c.o.Caller, c.name)
	if e != nil {
		return e
	}
	c.w.Header().Set("ETag", entityTag(snap.Epoch, snap.Version))
	if snap.Stale {
		c.w.Header().Set(staleHeader, "true")
	}
	if hasTag(c.r.Header.Values("If-None-Match"), snap.Epoch, snap.Version) {
		c.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return c.reply(snap.State)
}

// patchDocument is PATCH /channels/{channel}/document.
func patchDocument(c *call) *protocol.Error {
	if e := c.enter(c.mayChange); e != nil {
		return e
	}
	p := session.Proposal{Channel: c.name}
	if len(c.r.Header.Values("If-Match")) == 0 {
		problem.WriteStatus(c.w, http.StatusPreconditionRequired, "say with If-Match which version the patch is made to; * is any")
		return nil
	}
	media, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || media != mergePatch && media != jsonPatch {
		c.w.Header().Set("Accept-Patch", mergePatch+", "+jsonPatch)
		c.unsupported("send " + mergePatch + " or " + jsonPatch)
		return nil
	}
	return c.amend(p, media, c.bodyLimit())
}

// putDocument is PUT /channels/{channel}/document.
func putDocument(c *call) *protocol.Error {
	if e := c.enter(c.mayChange); e != nil {
		return e
	}
	if !c.bodyIsJSON() {
		return nil
	}
	p := session.Proposal{Channel: c.name, Replace: true}
	return c.amend(p, jsonType, 2*int64(c.o.Registry.Documents.MaxSize(c.name))+4<<10)
}

// mayChange is what [session.Documents.Amend] decides again, when the change is known.
func (c *call) mayChange(by session.Caller) *protocol.Error {
	return c.o.Registry.Documents.MayChange(by, c.name)
}

// amend reads the body of a change.
func (c *call) amend(p session.Proposal, media string, limit int64) *protocol.Error {
	body, e := c.readJSON(limit)
	if e != nil {
		return e
	}
	if p.Patch, e = ofMedia(media, body); e != nil {
		return e
	}
	return c.propose(p)
}

// ofMedia sees to it that a patch is what it is said to be: an array is a JSON patch,
// and nothing else.
func ofMedia(media string, body []byte) (json.RawMessage, *protocol.Error) {
	text, e := protocol.DecodeContent(body)
	switch {
	case e != nil:
		return nil, e
	case media == jsonPatch && text[0] != '[':
		return nil, protocol.Errorf(protocol.InvalidMessage, "a JSON patch is an array")
	case media == mergePatch && text[0] != '{':
		return nil, protocol.Errorf(protocol.InvalidMessage, "a merge patch is an object; to replace the whole document use PUT")
	}
	return text, nil
}

func (c *call) propose(p session.Proposal) *protocol.Error {
	e := c.condition(&p)
	if e != nil {
		return e
	}
	if p.Key, e = oneKey("", c.r.Header.Values(keyHeader)); e != nil {
		return e
	}
	validate, e := c.validate()
	if e != nil {
		return e
	}
	out, e := c.o.Registry.Documents.Amend(c.patient(), c.publisher(validate), p)
	if e != nil {
		return c.failed(e, false)
	}
	c.w.Header().Set("ETag", entityTag(out.Epoch, out.Version))
	if out.Err != nil {
		return c.failed(session.DocumentError(out.Err), !p.Latest && out.Err.Reason == document.Conflict)
	}
	return c.replyValue(changed{out.Epoch, out.Version, out.Duplicate})
}

// failed answers when a change is not made. That the document has changed since is
// what the condition was for. Status 429 would say that it helps to wait.
func (c *call) failed(e *protocol.Error, conditional bool) *protocol.Error {
	switch {
	case e.Code == protocol.Conflict && conditional:
		problem.WriteAs(c.w, http.StatusPreconditionFailed, e)
	case e.Code == protocol.LimitExceeded:
		problem.WriteAs(c.w, http.StatusInsufficientStorage, e)
	default:
		return e
	}
	return nil
}

// condition reads If-Match: the state that the change was made to.
func (c *call) condition(p *session.Proposal) *protocol.Error {
	known, e := c.ifMatch()
	p.Epoch, p.Base = known.Epoch, known.Version
	p.Exact, p.Latest = known.Epoch != "", known.Epoch == ""
	return e
}

// ifMatch reads If-Match; the zero Known stands for any state.
func (c *call) ifMatch() (known document.Known, e *protocol.Error) {
	values := c.r.Header.Values("If-Match")
	tag := strings.TrimSpace(strings.Join(values, ","))
	// An empty one is no *: it is sent by who lost the tag.
	if len(values) == 0 || tag == "*" {
		return known, nil
	}
	epoch, version, ok := parseTag(tag)
	if !ok {
		return known, protocol.Errorf(protocol.InvalidMessage, "If-Match is neither * nor one ETag of a document")
	}
	return document.Known{Epoch: epoch, Version: version}, nil
}

// entityTag names a state: versions of different epochs have nothing in common.
func entityTag(epoch string, version uint64) string {
	return `"` + epoch + "-" + strconv.FormatUint(version, 10) + `"`
}

// parseTag reads a tag. Who compresses the answers on the way makes it a weak one, or as
// Caddy's encode does writes -gzip behind it; it names the state all the same.
func parseTag(tag string) (epoch string, version uint64, ok bool) {
	inner, opened := strings.CutPrefix(strings.TrimPrefix(tag, "W/"), `"`)
	inner, closed := strings.CutSuffix(inner, `"`)
	epoch, rest, cut := strings.Cut(inner, "-")
	number, _, _ := strings.Cut(rest, "-")
	version, err := strconv.ParseUint(number, 10, 64)
	return epoch, version, opened && closed && cut && epoch != "" && err == nil
}

// hasTag reports whether a header lists the tag of a state.
func hasTag(values []string, epoch string, version uint64) bool {
	for one := range strings.SplitSeq(strings.Join(values, ","), ",") {
		one = strings.TrimSpace(one)
		if e, v, ok := parseTag(one); one == "*" || ok && e == epoch && v == version {
			return true
		}
	}
	return false
}
