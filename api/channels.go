package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

const (
	usualChannels = 100
	maxChannels   = 1000
)

// channelInfo describes a channel that has connections, a document, or both.
type channelInfo struct {
	session.ChannelInfo
	Document *documentInfo `json:"document,omitempty"`
}

// documentInfo describes a document that somebody has changed.
type documentInfo struct {
	Version uint64 `json:"version"`
	// Bytes is what the document and its latest changes take of the memory for documents.
	Bytes int64 `json:"bytes"`
}

// listChannels is GET /channels: the channels with connections to any node, and those with
// a document. Only the app may list them, because the name of a channel can be its only
// protection.
func listChannels(c *call) *protocol.Error {
	if e := c.appOnly(); e != nil {
		return e
	}
	query := c.r.URL.Query()
	after, n, e := pageQuery(query)
	if e != nil {
		return e
	}
	prefix := query.Get("prefix")
	rooms := c.o.Registry.Inspection.Channels(c.r.Context(), session.ChannelQuery{Prefix: prefix, After: after, Limit: n})
	docs, moreDocs, e := c.o.Registry.Documents.List(c.r.Context(), prefix, after, n)
	switch {
	case e != nil && e.Code == protocol.Unavailable:
		// The store is unreachable. The connections of this node are known all the same.
		c.w.Header().Set(staleHeader, "true")
		rooms.Partial = true
	case e != nil:
		return e
	}
	list, more := cut(merge(rooms.Channels, docs), rooms, moreDocs, n)
	p := page{More: more}
	if len(list) > 0 && more {
		p.Next = list[len(list)-1].Channel
	}
	return c.replyValue(struct {
		Channels []channelInfo `json:"channels"`
		page
		session.Coverage
	}{list, p, rooms.Coverage})
}

// cut cuts the list to the names up to which both of its parts are complete, and to n.
func cut(list []channelInfo, rooms session.ChannelPage, moreDocs bool, n int) (page []channelInfo, more bool) {
	more = rooms.More || moreDocs
	if rooms.More {
		horizon := ""
		if k := len(rooms.Channels); k > 0 {
			horizon = rooms.Channels[k-1].Channel
		}
		list = slices.DeleteFunc(list, func(c channelInfo) bool { return c.Channel > horizon })
	}
	if len(list) > n {
		return list[:n], true
	}
	return list, more
}

// merge merges two lists that are ordered by channel. If one of them was cut, the merged one
// is right up to the end of the shorter one; see cut.
func merge(rooms []session.ChannelInfo, docs []document.Info) []channelInfo {
	list := make([]channelInfo, 0, max(len(rooms), len(docs)))
	for len(rooms) > 0 || len(docs) > 0 {
		order := 0
		switch {
		case len(docs) == 0:
			order = -1
		case len(rooms) == 0:
			order = 1
		default:
			order = strings.Compare(rooms[0].Channel, docs[0].Channel)
		}
		var info channelInfo
		if order <= 0 {
			info.ChannelInfo = rooms[0]
			rooms = rooms[1:]
		}
		if order >= 0 {
			info.Channel, info.Document = docs[0].Channel, &documentInfo{docs[0].Version, docs[0].Bytes}
			docs = docs[1:]
		}
		list = append(list, info)
	}
	return list
}

// appOnly returns an error unless the caller is the app and its key may manage.
func (c *call) appOnly() *protocol.Error {
	switch {
	case c.o.Caller.App:
		return c.o.Caller.Scope.AllowManage()
	case c.o.Caller.User() == "":
		return c.hint(protocol.Errorf(protocol.Unauthorized, "this needs the API key of the app"))
	}
	return protocol.Errorf(protocol.Forbidden, "this is for the app, with its API key")
}

// deleteDocument is DELETE /channels/{channel}/document. It removes everything about the
// document. Clients may not do that; they empty the document with PUT.
func deleteDocument(c *call) *protocol.Error {
	if e := c.appOnly(); e != nil {
		return e
	}
	only, e := c.ifMatch()
	if e != nil {
		return e
	}
	if e = c.o.Registry.Documents.Forget(c.r.Context(), c.name, only); e != nil {
		return c.failed(e, only.Epoch != "")
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}
