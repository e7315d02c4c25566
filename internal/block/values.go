package block

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
)

// units are the words for sizes. Longer ones come first, because they end like
// shorter ones.
var units = []struct {
	word  string
	bytes int64
}{
	{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
	{"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"B", 1},
}

// ParseSize parses a number of bytes: "64KiB" (1024 each), "64KB" (1000 each) or "65536".
// Zero, signs, spaces and fractions are not allowed.
func ParseSize(s string) (int64, error) {
	number, factor := s, int64(1)
	for _, u := range units {
		if rest, ok := strings.CutSuffix(s, u.word); ok {
			number, factor = rest, u.bytes
			break
		}
	}
	n, err := parseDigits(number)
	if err != nil || n > math.MaxInt64/factor {
		return 0, fmt.Errorf("'%s' is not a size such as 64KiB, 1MB or 65536", s)
	}
	return n * factor, nil
}

// ParseCount parses a whole number from 1.
func ParseCount(s string) (int, error) {
	n, err := parseDigits(s)
	if err != nil || n > math.MaxInt32 {
		return 0, fmt.Errorf("'%s' is not a whole number from 1 to %d", s, math.MaxInt32)
	}
	return int(n), nil
}

// parseDigits is stricter than strconv, which accepts signs and underscores.
func parseDigits(s string) (int64, error) {
	if s == "" || s[0] == '0' || strings.Trim(s, "0123456789") != "" {
		return 0, errors.New("not a positive number in digits")
	}
	return strconv.ParseInt(s, 10, 64)
}

// ParseDuration parses a positive duration in Caddy's notation, which has days.
func ParseDuration(s string) (caddy.Duration, error) {
	d, err := caddy.ParseDuration(s)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("'%s' is not a duration such as 500ms, 25s or 7d", s)
	}
	return caddy.Duration(d), nil
}
