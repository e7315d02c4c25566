package presence

import (
	"testing"
	"time"
)

func TestWindow(t *testing.T) {
	t.Parallel()
	for members, want := range map[int]time.Duration{
		0:       100 * time.Millisecond,
		1000:    100 * time.Millisecond,
		2000:    200 * time.Millisecond,
		10000:   time.Second,
		1000000: 5 * time.Second,
	} {
		if got := Window(members); got != want {
			t.Errorf("%d members: %v, want %v", members, got, want)
		}
	}
}

func TestLeaveAt(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	at := func(seconds int) time.Time { return now.Add(time.Duration(seconds) * time.Second) }
	for _, c := range []struct {
		name     string
		until    time.Time
		grace    int
		explicit bool
		want     time.Time
	}{
		{"lost", time.Time{}, 5, false, at(5)},
		{"lost without grace", time.Time{}, 0, false, now},
		{"explicit", time.Time{}, 5, true, now},
		{"explicit while another may come back", at(3), 5, true, at(3)},
		{"explicit long after another was lost", at(-3), 5, true, now},
		{"lost after another", at(3), 5, false, at(5)},
		{"lost after another with a longer grace", at(9), 5, false, at(9)},
	} {
		if got := leaveAt(now, c.until, time.Duration(c.grace)*time.Second, c.explicit); !got.Equal(c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for failures, want := range map[int]time.Duration{
		1:       100 * time.Millisecond,
		2:       200 * time.Millisecond,
		5:       1600 * time.Millisecond,
		7:       5 * time.Second,
		1 << 40: 5 * time.Second,
	} {
		if got := retryAfter(failures); got != want {
			t.Errorf("%d failures: %v, want %v", failures, got, want)
		}
	}
}

func TestEarliest(t *testing.T) {
	t.Parallel()
	one, two := time.Unix(1, 0), time.Unix(2, 0)
	for _, c := range []struct {
		times []time.Time
		want  time.Time
	}{
		{nil, time.Time{}},
		{[]time.Time{{}, two, {}, one, {}}, one},
		{[]time.Time{one, {}}, one},
		{[]time.Time{{}, {}}, time.Time{}},
	} {
		if got := earliest(c.times...); !got.Equal(c.want) {
			t.Errorf("%v: %v", c.times, got)
		}
	}
}
