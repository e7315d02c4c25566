package notify_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/caddy-realtime/caddy-realtime/notify"
)

func TestParseSecret(t *testing.T) {
	encode := func(n int) string { return "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, n)) }
	for text, want := range map[string]string{
		secretText: "", encode(24): "", encode(64): "",
		"": "whsec_", strings.TrimPrefix(secretText, "whsec_"): "whsec_", "whsec_": "24 to 64 bytes",
		encode(23): "24 to 64 bytes", encode(65): "24 to 64 bytes",
		"whsec_not base64, but long enough": "not Base64",
	} {
		_, err := notify.ParseSecret(text)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v", text, err)
		}
		if err != nil && len(text) > 10 && strings.Contains(err.Error(), text[6:]) {
			t.Errorf("the error repeats the secret: %v", err)
		}
	}
}

func TestSignatures(t *testing.T) {
	first, _ := notify.ParseSecret(secretText)
	second := notify.Secret(strings.Repeat("s", 24))
	at := time.Unix(1_700_000_000, 0)
	h := notify.SignWith(first, second)("b1", []byte(`{"a":1}`), at)
	var want []string
	for _, secret := range []notify.Secret{first, second} {
		mac := hmac.New(sha256.New, secret)
		fmt.Fprintf(mac, "%s.%s.%s", "msg_b1", "1700000000", `{"a":1}`)
		want = append(want, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	if got := h.Get("webhook-signature"); got != strings.Join(want, " ") {
		t.Errorf("signed %q, not %q", got, want)
	}
	if h.Get("webhook-id") != "msg_b1" || h.Get("webhook-timestamp") != "1700000000" || h.Get("content-type") != "application/json" {
		t.Errorf("headers: %v", h)
	}
}
