package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
)

// loopback reports whether a host is this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// fetcher returns a client that follows redirects only within the host and scheme of u.
func fetcher(u *url.URL) *http.Client {
	return &http.Client{
		Timeout:   fetchTimeout,
		Transport: http.DefaultTransport.(*http.Transport).Clone(),
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			switch {
			case r.URL.Host != u.Host:
				return errors.New("the key set's URL redirects to another host")
			case r.URL.Scheme != u.Scheme:
				return errors.New("the key set's URL redirects to another scheme")
			case len(via) > 3:
				return errors.New("the key set's URL redirects too often")
			}
			return nil
		},
	}
}

// fetch returns the text of a key set.
func fetch(ctx context.Context, client *http.Client, address string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the issuer answered with status %d instead of 200", res.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, maxKeySet+1))
	if err == nil && len(text) > maxKeySet {
		err = fmt.Errorf("the answer has more than %d bytes", maxKeySet)
	}
	return text, err
}
