package checker

import "testing"

// even passes m2, m4, …
func even(id string) bool { return (id[len(id)-1]-'0')%2 == 0 }

func TestFilter(t *testing.T) {
	filtered := func(s scene) {
		s.acked(1, 9)
		s.s.Filter(room, even)
		s.s.Subscribed(room, at(0), false)
	}
	for _, tt := range []check{
		{"all that pass", Options{}, func(s scene) {
			filtered(s)
			s.saw(2, 4, 6, 8)
		}, nil},
		{"one that passes is missing", Options{}, func(s scene) {
			filtered(s)
			s.saw(2, 6, 8)
		}, []wrong{{Missing, 4, 4}}},
		{"the last one is missing", Options{}, func(s scene) {
			filtered(s)
			s.saw(2, 4, 6)
		}, []wrong{{Undelivered, 8, 8}}},
		{"one that does not pass", Options{}, func(s scene) {
			filtered(s)
			s.saw(2, 3, 4, 6, 8)
		}, []wrong{{Unwanted, 3, 3}}},
		{"a position", Options{}, func(s scene) {
			filtered(s)
			s.saw(2)
			s.s.Position(room, at(3))
			s.saw(4, 6, 8)
			s.s.Position(room, at(9))
		}, nil},
		{"a position before a message that passes", Options{}, func(s scene) {
			filtered(s)
			s.saw(2)
			s.s.Position(room, at(5))
			s.saw(4, 6, 8)
		}, []wrong{{Reorder, 4, 4}}},
		{"a position in its place", Options{}, func(s scene) {
			filtered(s)
			s.saw(2)
			s.s.Position(room, at(5))
			s.saw(6, 8)
		}, []wrong{{Missing, 4, 4}}},
		{"a recovery from a position", Options{}, func(s scene) {
			filtered(s)
			s.s.Position(room, at(3))
			s.s.Disconnected()
			s.s.Subscribed(room, at(9), true, replay(4, 4)...)
			s.saw(6, 8)
		}, []wrong{{Missing, 2, 2}}},
		{"a recovery without one that passes", Options{}, func(s scene) {
			filtered(s)
			s.saw(2, 4)
			s.s.Disconnected()
			s.s.Subscribed(room, at(9), true, replay(6, 6)...)
		}, []wrong{{Missing, 8, 8}}},
		{"a gap", Options{}, func(s scene) {
			filtered(s)
			s.saw(2)
			s.s.Gap(room, at(5))
			s.saw(6, 8)
		}, nil},
		{"a position outside a subscription", Options{}, func(s scene) {
			filtered(s)
			s.saw(2, 4, 6, 8)
			s.s.Unsubscribed(room)
			s.s.Position(room, at(9))
		}, []wrong{{Stray, 9, 9}}},
	} {
		t.Run(tt.name, tt.test)
	}
}
