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

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// fetcher returns a client that stays on the host and the scheme of a URL.
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

// fetch gets the text of a key set.
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
		return nil, fmt.Errorf("the answer has the status %d", res.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, maxKeySet+1))
	if err == nil && len(text) > maxKeySet {
		err = fmt.Errorf("the answer has more than %d bytes", maxKeySet)
	}
	return text, err
}
