package memory

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

func BenchmarkPublish(b *testing.B) {
	hour := hub.Retention{Size: 100, TTL: time.Hour}
	content := make([]byte, 128)
	for _, bb := range []struct {
		name  string
		rooms int
		o     Options
		p     hub.PublishOptions
	}{
		{"ephemeral", 1, Options{}, hub.PublishOptions{}},
		{"history=100/rooms=1", 1, Options{}, hub.PublishOptions{Retention: hour}},
		{"history=100/rooms=1000", 1000, Options{}, hub.PublishOptions{Retention: hour}},
		{"history=100/rooms=1000/bound", 1000, Options{HistoryBytes: 4 << 20}, hub.PublishOptions{Retention: hour}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			br := start(b, bb.o)
			channels := make([]string, bb.rooms)
			for i := range channels {
				channels[i] = name(i)
				attach(b, br, channels[i], bb.p.Retention)
			}
			ctx := context.Background()
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if i++; i == len(channels) {
					i = 0
				}
				br.Publish(ctx, &hub.Message{Channel: channels[i], Content: content}, bb.p)
			}
		})
	}
}

func BenchmarkPublishParallel(b *testing.B) {
	for name, keep := range map[string]hub.Retention{"ephemeral": {}, "history=100": {Size: 100, TTL: time.Hour}} {
		b.Run(name, func(b *testing.B) {
			br := start(b, Options{})
			var n atomic.Int64
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				channel := fmt.Sprint("room:", n.Add(1))
				attach(b, br, channel, keep)
				content := make([]byte, 128)
				for pb.Next() {
					br.Publish(context.Background(), &hub.Message{Channel: channel, Content: content}, hub.PublishOptions{Retention: keep})
				}
			})
		})
	}
}

func BenchmarkPublishKey(b *testing.B) {
	br := start(b, Options{})
	attach(b, br, "room", hundred)
	content := make([]byte, 128)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		o := hub.PublishOptions{Retention: hundred, Key: fmt.Sprint("key-", i)}
		br.Publish(context.Background(), &hub.Message{Channel: "room", Content: content}, o)
	}
}

func BenchmarkRecover100(b *testing.B) {
	br := start(b, Options{})
	o := hub.PublishOptions{Retention: hundred}
	since := publish(b, br, "room", 128, o).Position
	for range 100 {
		publish(b, br, "room", 128, o)
	}
	b.ReportAllocs()
	for b.Loop() {
		p, err := br.History(context.Background(), "room", hundred, hub.HistoryQuery{Since: &since, Limit: 100})
		if err != nil || p.Lost || len(p.Messages) != 100 {
			b.Fatal(err, p.Lost, len(p.Messages))
		}
	}
}

// BenchmarkAttach is the cost of a room that nobody had used: the epoch, the log
// and the table.
func BenchmarkAttach(b *testing.B) {
	br := start(b, Options{})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		channel := name(i)
		attach(b, br, channel, hundred)
		br.Detach(channel)
	}
}
