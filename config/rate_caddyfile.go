package config

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-realtime/caddy-realtime/internal/block"
)

// rate is an option that is a number of events per second.
func rate[T any](field func(T) *Rate) block.Option[T] {
	return block.Option[T]{Syntax: "<n>/s [<burst>]", Min: 1, Max: 2, Parse: func(_ *caddyfile.Dispenser, args []string, c T) (err error) {
		*field(c), err = parseRate(args)
		return err
	}}
}

// maxRate is more events per second than one node can handle.
const maxRate = 1e9

// parseRate reads "<n>/s" and, where there is a second argument, the burst.
func parseRate(args []string) (Rate, error) {
	number, ok := strings.CutSuffix(args[0], "/s")
	n, err := strconv.ParseFloat(number, 64)
	if !ok || err != nil || strings.Trim(number, ".0123456789") != "" || n <= 0 || n > maxRate {
		return Rate{}, fmt.Errorf("'%s' is not a rate such as 20/s or 0.5/s", args[0])
	}
	rate := Rate{PerSecond: n}
	if len(args) > 1 {
		rate.Burst, err = block.ParseCount(args[1])
	}
	return rate, err
}
