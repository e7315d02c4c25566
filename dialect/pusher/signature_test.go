package pusher

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http/httptest"
	"testing"
	"time"
)

var vectors = &App{ID: "3", Keys: []Key{{"278d425bdf160c739803", "7ad3773142a6692b25b8"}}}

// The vectors were computed apart from this code.
func TestSignatures(t *testing.T) {
	for text, signature := range map[string]string{
		"1234.1234:private-foobar": "58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4",
		`1234.1234:presence-foobar:{"user_id":10,"user_info":{"name":"Mr. Channels"}}`: "31935e7d86dba64c2a90aed31fdc61869f9b22ba9d8863bba239c03ca481bc80",
		`1234.1234::user::{"id":"12345"}`:                                              "4708d583dada6a56435fb8bc611c77c359a31eebde13337c16ab43aa6de336ba",
	} {
		if !vectors.signed("278d425bdf160c739803:"+signature, text) {
			t.Errorf("the signature of %s is not accepted", text)
		}
		for _, auth := range []string{"", signature, "other:" + signature, "278d425bdf160c739803:" + signature[2:], "278d425bdf160c739803:"} {
			if vectors.signed(auth, text) {
				t.Errorf("%q is accepted for %s", auth, text)
			}
		}
	}
}

func sign(text string) string {
	mac := hmac.New(sha256.New, []byte(vectors.Keys[0].Secret))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

// A signed request is accepted with the time, the key and the body that were signed.
func TestRequestSignature(t *testing.T) {
	body := `{"name":"foo","channels":["project-3"],"data":"{\"some\":\"data\"}"}`
	const query = "auth_key=278d425bdf160c739803&auth_timestamp=1353088179&auth_version=1.0&body_md5=ec365a775a4cd0599faeb73354201b6f"
	const signature = "&auth_signature=da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c"
	at := time.Unix(1353088179, 0)
	info := "auth_key=278d425bdf160c739803&auth_timestamp=1353088179&auth_version=1.0"
	for _, c := range []struct {
		name, method, target, body string
		at                         time.Time
		ok                         bool
	}{
		{"the vector", "POST", "/apps/3/events?" + query + signature, body, at, true},
		{"within the window", "POST", "/apps/3/events?" + query + signature, body, at.Add(-clockSkew), true},
		{"too late", "POST", "/apps/3/events?" + query + signature, body, at.Add(clockSkew + time.Second), false},
		{"another body", "POST", "/apps/3/events?" + query + signature, body + " ", at, false},
		{"another path", "POST", "/apps/3/batch_events?" + query + signature, body, at, false},
		{"another method", "PUT", "/apps/3/events?" + query + signature, body, at, false},
		{"without a signature", "POST", "/apps/3/events?" + query, body, at, false},
		{"commas without escapes", "GET", "/apps/3/channels?" + info + "&info=a,b&auth_signature=" + sign("GET\n/apps/3/channels\n"+info+"&info=a,b"), "", at, true},
		{"several values", "GET", "/apps/3/channels?" + info + "&x[]=a&x[]=b&auth_signature=" + sign("GET\n/apps/3/channels\n"+info+"&x=a,b"), "", at, true},
		{"behind a prefix", "GET", "/ws/apps/3/channels?" + info + "&auth_signature=" + sign("GET\n/apps/3/channels\n"+info), "", at, true},
		{"with the prefix", "GET", "/ws/apps/3/channels?" + info + "&auth_signature=" + sign("GET\n/ws/apps/3/channels\n"+info), "", at, true},
		{"a body without MD5", "POST", "/apps/3/events?" + info + "&auth_signature=" + sign("POST\n/apps/3/events\n"+info), body, at, false},
	} {
		r := httptest.NewRequest(c.method, c.target, nil)
		path := r.URL.Path
		if len(path) > 3 && path[:3] == "/ws" {
			path = path[3:]
		}
		if e := vectors.checkSignature(r, path, parseQuery(r.URL.RawQuery), []byte(c.body), c.at); (e == nil) != c.ok {
			t.Errorf("%s: %v", c.name, e)
		}
	}
}
