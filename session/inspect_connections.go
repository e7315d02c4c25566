package session

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

// ConnectionQuery asks for connections.
type ConnectionQuery struct {
	// User is the user of the connections; nil: any, empty: none.
	User *string `json:"user,omitempty"`
	// Address is an address or a network; empty: any.
	Address string `json:"address,omitempty"`
	// Channel, Transport and Node are empty for any.
	Channel   string `json:"channel,omitempty"`
	Transport string `json:"transport,omitempty"`
	Node      string `json:"node,omitempty"`
	// Sort is the order: "queue" or "age".
	Sort string `json:"sort"`
	// After is the cursor where the page starts; empty: at the start.
	After string `json:"after,omitempty"`
	Limit int    `json:"limit"`
}

// ConnectionInfo describes a connection.
type ConnectionInfo struct {
	Connection    string    `json:"connection"`
	Node          string    `json:"node"`
	User          string    `json:"user,omitempty"`
	Address       string    `json:"address,omitempty"`
	Transport     string    `json:"transport"`
	Dialect       string    `json:"dialect"`
	Realm         string    `json:"realm,omitempty"`
	Since         int64     `json:"since"`
	Expires       int64     `json:"expires,omitempty"`
	Channels      []string  `json:"channels"`
	Subscriptions int       `json:"subscriptions"`
	Queue         QueueInfo `json:"queue"`
}

// QueueInfo is what waits for a client.
type QueueInfo struct {
	Messages int `json:"messages"`
	Bytes    int `json:"bytes"`
}

// ConnectionPage is a page of connections.
type ConnectionPage struct {
	Connections []ConnectionInfo
	// Next is the cursor of the next page; empty on the last one.
	Next string
	// Any reports that there are connections after the cursor, also with a limit of 0.
	Any bool
	Coverage
}

// maxShownChannels is how many channels of a connection are listed.
const maxShownChannels = 100

// Connections lists connections to all nodes. The error is INVALID_MESSAGE.
func (i *Inspection) Connections(ctx context.Context, q ConnectionQuery) (ConnectionPage, *protocol.Error) {
	here, err := i.connectionsHere(q)
	if err != nil {
		return ConnectionPage{}, protocol.AsError(err)
	}
	pages, c := ask(ctx, i, question{Connections: &q}, here)
	list, more := mergeConnections(pages, q)
	found := more || len(list) > 0
	if len(list) > q.Limit {
		list, more = list[:q.Limit], true
	}
	p := ConnectionPage{Connections: list, Any: found, Coverage: c}
	if n := len(list); more && n > 0 {
		p.Next = orderOf(list[n-1], q.Sort).cursor()
	}
	return p, nil
}

// Connection returns a connection to any node. found is false if no node that answered has it.
func (i *Inspection) Connection(ctx context.Context, id string) (info ConnectionInfo, found bool, c Coverage) {
	if here := i.connectionHere(id); len(here.Items) > 0 || len(id) > maxConnectionID {
		return first(here), len(here.Items) > 0, Coverage{Nodes: 1}
	}
	pages, c := ask(ctx, i, question{Connection: id}, page[ConnectionInfo]{})
	for _, p := range pages {
		if len(p.Items) > 0 {
			return p.Items[0], true, c
		}
	}
	return info, false, c
}

func first(p page[ConnectionInfo]) (info ConnectionInfo) {
	if len(p.Items) > 0 {
		info = p.Items[0]
	}
	return info
}

func (i *Inspection) connectionHere(id string) (p page[ConnectionInfo]) {
	if s := i.sessions.named(id); s != nil {
		p.Items = append(p.Items, i.describe(s))
	}
	return p
}

// connectionsHere lists connections to this node. Errors are of the query.
func (i *Inspection) connectionsHere(q ConnectionQuery) (p page[ConnectionInfo], err error) {
	f, err := i.newFilter(q)
	if err != nil || q.Node != "" && q.Node != i.node.Name {
		return p, err
	}
	found := f.search(i.sessions.snapshot())
	if p.More = len(found) > q.Limit; p.More {
		found = found[:q.Limit]
	}
	for _, c := range found {
		info := i.describe(c.session)
		// The order of the page is the one in which the connections were compared.
		if q.Sort == sortByQueue {
			info.Queue.Bytes = int(-c.order.key)
		}
		p.Items = append(p.Items, info)
	}
	return p.fit(ConnectionInfo.size), nil
}

// size is at least the size of the JSON.
func (c ConnectionInfo) size() int {
	n := 400 + 2*(len(c.User)+len(c.Realm))
	for _, channel := range c.Channels {
		n += 2*len(channel) + 8
	}
	return n
}

// describe describes a session that is connected.
func (i *Inspection) describe(s *Session) ConnectionInfo {
	p, conn := s.who(), s.connection()
	info := ConnectionInfo{
		Connection: conn.ID(), Node: i.node.Name, User: p.User, Transport: s.name, Dialect: dialectName(s.dialect), Realm: p.Realm, Since: s.since().UnixMilli(),
	}
	if p.IP.IsValid() {
		info.Address = p.IP.Unmap().String()
	}
	if !p.Expires.IsZero() {
		info.Expires = p.Expires.UnixMilli()
	}
	info.Channels = conn.Channels()
	slices.Sort(info.Channels)
	info.Subscriptions = len(info.Channels)
	info.Channels = info.Channels[:min(len(info.Channels), maxShownChannels)]
	info.Queue.Messages, info.Queue.Bytes = conn.Queue()
	return info
}

const (
	sortByQueue = "queue"
	sortByAge   = "age"
)

// order is the place of a connection in a list: smaller keys first, then by id.
type connectionOrder struct {
	key int64
	id  string
}

func (o connectionOrder) compare(p connectionOrder) int {
	return cmp.Or(cmp.Compare(o.key, p.key), strings.Compare(o.id, p.id))
}

func (o connectionOrder) cursor() string { return strconv.FormatInt(o.key, 10) + "." + o.id }

func parseConnectionOrder(s string) (o connectionOrder, err error) {
	key, id, _ := strings.Cut(s, ".")
	o.id = id
	o.key, err = strconv.ParseInt(key, 10, 64)
	return o, err
}

// orderOf returns the place of a connection: the fullest queue first, or the oldest one first.
func orderOf(info ConnectionInfo, sort string) connectionOrder {
	if sort == sortByAge {
		return connectionOrder{info.Since, info.Connection}
	}
	return connectionOrder{-int64(info.Queue.Bytes), info.Connection}
}

// connectionFilter selects connections of this node.
type connectionFilter struct {
	q     ConnectionQuery
	net   netip.Prefix // invalid: any
	after *connectionOrder
}

func (i *Inspection) newFilter(q ConnectionQuery) (f connectionFilter, err error) {
	f.q = q
	if q.Sort != sortByQueue && q.Sort != sortByAge {
		return f, protocol.Errorf(protocol.InvalidMessage, "the parameter sort is %s; it must be queue or age", protocol.Quote(q.Sort))
	}
	if q.Address != "" {
		if f.net, err = parseNetwork(q.Address); err != nil {
			return f, protocol.Errorf(protocol.InvalidMessage, "the parameter address is %s; it must be an address or a network", protocol.Quote(q.Address))
		}
	}
	if q.After != "" {
		at, err := parseConnectionOrder(q.After)
		if err != nil {
			return f, protocol.Errorf(protocol.InvalidMessage, "the parameter after is %s; it must be the `next` of a page", protocol.Quote(q.After))
		}
		f.after = &at
	}
	return f, nil
}

// parseNetwork parses an address or a network.
func parseNetwork(s string) (netip.Prefix, error) {
	if strings.Contains(s, "/") {
		p, err := netip.ParsePrefix(s)
		return p.Masked(), err
	}
	ip, err := netip.ParseAddr(s)
	ip = ip.Unmap().WithZone("")
	return netip.PrefixFrom(ip, ip.BitLen()), err
}

// foundConnection is a connection that a filter selected, with its place when it was looked at.
type foundConnection struct {
	order   connectionOrder
	session *Session
}

// search returns the connections after the cursor in their order, one more than the page has.
func (f *connectionFilter) search(all []*Session) (found []foundConnection) {
	for _, s := range all {
		if !f.selects(s) {
			continue
		}
		conn := s.connection()
		if conn == nil {
			continue // it is being opened
		}
		o := connectionOrder{id: conn.ID()}
		if f.q.Sort == sortByAge {
			o.key = s.since().UnixMilli()
		} else {
			_, bytes := conn.Queue()
			o.key = -int64(bytes)
		}
		if f.after == nil || o.compare(*f.after) > 0 {
			found = append(found, foundConnection{o, s})
		}
	}
	slices.SortFunc(found, func(a, b foundConnection) int { return a.order.compare(b.order) })
	return found[:min(len(found), f.q.Limit+1)]
}

func (f *connectionFilter) selects(s *Session) bool {
	p := s.who()
	switch {
	case f.q.User != nil && p.User != *f.q.User, f.q.Transport != "" && s.name != f.q.Transport:
		return false
	case f.net.IsValid() && !f.net.Contains(p.IP.Unmap().WithZone("")):
		return false
	case f.q.Channel != "":
		conn := s.connection()
		return conn != nil && conn.In(f.q.Channel)
	}
	return true
}

// mergeConnections merges the pages of the nodes. A page that is not complete bounds the
// list: its node may have connections right behind its last one.
func mergeConnections(pages []page[ConnectionInfo], q ConnectionQuery) (list []ConnectionInfo, more bool) {
	var horizon connectionOrder
	for _, p := range pages {
		list = append(list, p.Items...)
		if n := len(p.Items); p.More && n > 0 {
			if last := orderOf(p.Items[n-1], q.Sort); !more || last.compare(horizon) < 0 {
				horizon = last
			}
		}
		more = more || p.More
	}
	slices.SortFunc(list, func(a, b ConnectionInfo) int { return orderOf(a, q.Sort).compare(orderOf(b, q.Sort)) })
	if more {
		list = slices.DeleteFunc(list, func(c ConnectionInfo) bool { return orderOf(c, q.Sort).compare(horizon) > 0 })
	}
	return list, more
}
