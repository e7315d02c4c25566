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

// staleHeader says that the store can not be reached, so the document may have newer
// versions.
const staleHeader = "Realtime-Stale"

// changed is the answer to a change of a document.
type changed struct {
	Epoch   string `json:"epoch"`
	Version uint64 `json:"version"`
	// Duplicate: the key was used before, and nothing was changed this time.
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
		problem.WriteStatus(c.w, http.StatusPreconditionRequired, "the header If-Match is missing; send the ETag of the state that the patch is made to, or * for any state")
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

// mayChange reports early whether the caller may change the document at all. Amend decides
// again when the change is known.
func (c *call) mayChange(by session.Caller) *protocol.Error {
	return c.o.Registry.Documents.MayChange(by, c.name)
}

// amend reads the body of a change and makes the change.
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

// ofMedia checks that the patch has the form of its media type: a JSON patch is an array,
// and a merge patch is an object.
func ofMedia(media string, body []byte) (json.RawMessage, *protocol.Error) {
	text, e := protocol.DecodeContent(body)
	switch {
	case e != nil:
		return nil, e
	case media == jsonPatch && text[0] != '[':
		return nil, protocol.Errorf(protocol.InvalidMessage, "the body must be a JSON patch, which is an array")
	case media == mergePatch && text[0] != '{':
		return nil, protocol.Errorf(protocol.InvalidMessage, "the body must be a merge patch, which is an object; use PUT to replace the whole document")
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

// failed answers a change that is not made. If the request had a condition, a conflict
// means that the condition failed: 412. A full memory is 507, because 429 would say that
// waiting helps.
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

// condition reads If-Match, the state that the change was made to.
func (c *call) condition(p *session.Proposal) *protocol.Error {
	known, e := c.ifMatch()
	p.Epoch, p.Base = known.Epoch, known.Version
	p.Exact, p.Latest = known.Epoch != "", known.Epoch == ""
	return e
}

// ifMatch reads If-Match. The zero Known stands for any state.
func (c *call) ifMatch() (known document.Known, e *protocol.Error) {
	values := c.r.Header.Values("If-Match")
	tag := strings.TrimSpace(strings.Join(values, ","))
	// An empty header does not mean *: a client that lost the tag sends it.
	if len(values) == 0 || tag == "*" {
		return known, nil
	}
	epoch, version, ok := parseTag(tag)
	if !ok {
		return known, protocol.Errorf(protocol.InvalidMessage, "the header If-Match must be * or one ETag of a document")
	}
	return document.Known{Epoch: epoch, Version: version}, nil
}

// entityTag returns the ETag of a state. It has the epoch, because versions of different
// epochs have nothing in common.
func entityTag(epoch string, version uint64) string {
	return `"` + epoch + "-" + strconv.FormatUint(version, 10) + `"`
}

// parseTag parses an ETag. A compressing proxy makes it a weak tag, and Caddy's encode
// appends -gzip; it still names the same state.
func parseTag(tag string) (epoch string, version uint64, ok bool) {
	inner, opened := strings.CutPrefix(strings.TrimPrefix(tag, "W/"), `"`)
	inner, closed := strings.CutSuffix(inner, `"`)
	epoch, rest, cut := strings.Cut(inner, "-")
	number, _, _ := strings.Cut(rest, "-")
	version, err := strconv.ParseUint(number, 10, 64)
	return epoch, version, opened && closed && cut && epoch != "" && err == nil
}

// hasTag reports whether a header lists the ETag of a state.
func hasTag(values []string, epoch string, version uint64) bool {
	for one := range strings.SplitSeq(strings.Join(values, ","), ",") {
		one = strings.TrimSpace(one)
		if e, v, ok := parseTag(one); one == "*" || ok && e == epoch && v == version {
			return true
		}
	}
	return false
}
