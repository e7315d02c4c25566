package block

import (
	"testing"
	"time"
)

func TestParseSize(t *testing.T) {
	t.Parallel()
	good := map[string]int64{
		"1": 1, "65536": 65536, "1B": 1, "64KiB": 64 << 10, "64KB": 64_000, "1MiB": 1 << 20,
		"2MB": 2_000_000, "1GiB": 1 << 30, "3GB": 3_000_000_000, "8589934591GiB": 8589934591 << 30,
	}
	for s, want := range good {
		if got, err := ParseSize(s); got != want || err != nil {
			t.Errorf("%s: got %d, %v, not %d", s, got, err, want)
		}
	}
	for _, s := range []string{
		"", "0", "0KiB", "-1", "+1", "1.5MiB", "64k", "64kib", "64 KiB", "KiB", "1_000", "0x10", "1e3",
		"64KiBB", "8589934592GiB", "9223372036854775808", "99999999999999999999KB",
	} {
		if got, err := ParseSize(s); err == nil {
			t.Errorf("%q passes as %d", s, got)
		}
	}
}

func TestParseCount(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]int{"1": 1, "100000": 100_000, "2147483647": 2147483647} {
		if got, err := ParseCount(s); got != want || err != nil {
			t.Errorf("%s: got %d, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "0", "01", "-1", "+1", "1.0", "1e3", "2147483648", "99999999999999999999", "ten"} {
		if got, err := ParseCount(s); err == nil {
			t.Errorf("%q passes as %d", s, got)
		}
	}
}

func TestParseDuration(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]time.Duration{"500ms": 500 * time.Millisecond, "25s": 25 * time.Second, "7d": 7 * 24 * time.Hour} {
		if got, err := ParseDuration(s); time.Duration(got) != want || err != nil {
			t.Errorf("%s: got %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "25", "0s", "-1s", "soon"} {
		if got, err := ParseDuration(s); err == nil {
			t.Errorf("%q passes as %v", s, got)
		}
	}
}
