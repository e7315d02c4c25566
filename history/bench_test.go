package history

import (
	"testing"
	"time"
)

func BenchmarkAppend(b *testing.B) {
	bounds := Bounds{Size: 100, TTL: time.Hour}
	l, now := New[*int](Position{Epoch: "a"}, start), start
	b.ReportAllocs()
	for b.Loop() {
		l.Append(now, Entry[*int]{Cost: 300}, bounds)
	}
}

func BenchmarkRecover100(b *testing.B) {
	l := filled(150, Bounds{Size: 100})
	b.ReportAllocs()
	for b.Loop() {
		if vs, o := l.Since(Position{"a", 50, 50}, 100); len(vs) != 100 || o != AllThere {
			b.Fatal(len(vs), o)
		}
	}
}
