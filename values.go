package realtime

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

// parseSize reads a number of bytes: "64KiB" (1024 each), "64KB" (1000 each) or
// "65536". There is no zero, sign, space or fraction.
func parseSize(s string) (int64, error) {
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

// parseCount reads a whole number from 1.
func parseCount(s string) (int, error) {
	n, err := parseDigits(s)
	if err != nil || n > math.MaxInt32 {
		return 0, fmt.Errorf("'%s' is not a whole number from 1 to %d", s, math.MaxInt32)
	}
	return int(n), nil
}

// parseDigits is stricter than strconv, which knows signs and underscores.
func parseDigits(s string) (int64, error) {
	if s == "" || s[0] == '0' || strings.Trim(s, "0123456789") != "" {
		return 0, errors.New("not a positive number in digits")
	}
	return strconv.ParseInt(s, 10, 64)
}

// maxRate is more than one node can do of anything.
const maxRate = 1e9

// parseRate reads "<n>/s" and, where there is a second argument, the burst.
func parseRate(args []string) (RateConfig, error) {
	number, ok := strings.CutSuffix(args[0], "/s")
	n, err := strconv.ParseFloat(number, 64)
	if !ok || err != nil || strings.Trim(number, ".0123456789") != "" || n <= 0 || n > maxRate {
		return RateConfig{}, fmt.Errorf("'%s' is not a rate such as 20/s or 0.5/s", args[0])
	}
	rate := RateConfig{PerSecond: n}
	if len(args) > 1 {
		rate.Burst, err = parseCount(args[1])
	}
	return rate, err
}

// parseDuration reads a positive duration in Caddy's notation, which has days.
func parseDuration(s string) (caddy.Duration, error) {
	d, err := caddy.ParseDuration(s)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("'%s' is not a duration such as 500ms, 25s or 7d", s)
	}
	return caddy.Duration(d), nil
}
