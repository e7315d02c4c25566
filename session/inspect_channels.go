package session

import (
	"context"
	"slices"
	"strings"
)

// ChannelQuery asks for channels with connections.
type ChannelQuery struct {
	// Prefix is how the names start. After is the name after which the page starts.
	Prefix string `json:"prefix,omitempty"`
	After  string `json:"after,omitempty"`
	Limit  int    `json:"limit"`
}

// ChannelInfo describes a channel with connections.
type ChannelInfo struct {
	Channel string `json:"channel"`
	// Connections is how many connections are subscribed.
	Connections int `json:"connections"`
	// Members is how many members are present; nil for a room without presence.
	Members *int `json:"members,omitempty"`
}

// ChannelPage is a page of channels in the order of their names.
type ChannelPage struct {
	Channels []ChannelInfo
	More     bool
	Coverage
}

// Channels lists the channels that have connections to any node.
func (i *Inspection) Channels(ctx context.Context, q ChannelQuery) ChannelPage {
	pages, c := ask(ctx, i, question{Channels: &q}, i.channelsHere(q))
	list, more := mergeChannels(pages, q.After)
	if len(list) > q.Limit {
		list, more = list[:q.Limit], true
	}
	return ChannelPage{Channels: list, More: more, Coverage: c}
}

// channelsHere lists the channels that have connections to this node.
func (i *Inspection) channelsHere(q ChannelQuery) page[ChannelInfo] {
	rooms, more := i.hub.Rooms(q.Prefix, q.After, q.Limit)
	p := page[ChannelInfo]{Items: make([]ChannelInfo, 0, len(rooms)), More: more}
	for _, r := range rooms {
		info := ChannelInfo{Channel: r.Channel, Connections: r.Connections}
		if i.members != nil {
			if n, known := i.members.Count(r.Channel); known {
				info.Members = &n
			}
		}
		p.Items = append(p.Items, info)
	}
	return p.fit(ChannelInfo.size)
}

// size is at least the size of the JSON.
func (c ChannelInfo) size() int { return 2*len(c.Channel) + 80 }

// mergeChannels merges the pages of the nodes. A page that is not complete bounds the list:
// its node may have any of the names behind its last one. after is where the pages start.
func mergeChannels(pages []page[ChannelInfo], after string) (list []ChannelInfo, more bool) {
	byName, horizon := make(map[string]ChannelInfo), ""
	for _, p := range pages {
		for _, info := range p.Items {
			byName[info.Channel] = addChannel(byName[info.Channel], info)
		}
		if p.More {
			last := after
			if n := len(p.Items); n > 0 {
				last = p.Items[n-1].Channel
			}
			if !more || last < horizon {
				horizon = last
			}
			more = true
		}
	}
	for _, info := range byName {
		if !more || info.Channel <= horizon {
			list = append(list, info)
		}
	}
	slices.SortFunc(list, func(a, b ChannelInfo) int { return strings.Compare(a.Channel, b.Channel) })
	return list, more
}

// addChannel adds what another node knows of a channel. Each node knows the members of all
// nodes, but not at the same moment.
func addChannel(a, b ChannelInfo) ChannelInfo {
	a.Channel = b.Channel
	a.Connections += b.Connections
	if a.Members == nil || b.Members != nil && *b.Members > *a.Members {
		a.Members = b.Members
	}
	return a
}
