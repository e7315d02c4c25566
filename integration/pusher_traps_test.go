package integration

import (
	"crypto/md5"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// quoted returns a text as a JSON string.
func quoted(text string) string {
	b, _ := json.Marshal(text)
	return string(b)
}

// joinFrame subscribes a connection with a signature, as a member if data is not empty.
func joinFrame(id, channel, data string) string {
	text, member := id+":"+channel, ""
	if data != "" {
		text, member = text+":"+data, `,"channel_data":`+quoted(data)
	}
	return `{"event":"pusher:subscribe","data":{"channel":` + quoted(channel) + `,"auth":"key-1:` + pusherMAC(text) + `"` + member + `}}`
}

// signInFrame signs a connection in.
func signInFrame(id, data string) string {
	return `{"event":"pusher:signin","data":{"auth":"key-1:` + pusherMAC(id+"::user::"+data) + `","user_data":` + quoted(data) + `}}`
}

// until sends a frame, unless it is empty, and returns what arrives before a text, or the close code.
func (p *pusherConn) until(frame, end string) (got []string, code int) {
	p.Helper()
	if frame != "" {
		_ = p.WriteMessage(websocket.TextMessage, []byte(frame)) // an error is that of the read below
	}
	_ = p.SetReadDeadline(time.Now().Add(10 * time.Second))
	for {
		_, text, err := p.ReadMessage()
		if closed := (*websocket.CloseError)(nil); errors.As(err, &closed) {
			return got, closed.Code
		}
		if err != nil {
			p.Fatalf("%v after %q", err, got)
		}
		if strings.Contains(string(text), end) {
			return got, 0
		}
		got = append(got, string(text))
	}
}

const pingFrame = `{"event":"pusher:ping","data":{}}`

// Each row is what a program that means harm sends over a connection of its own. It ends at most that
// connection, and another one hears nothing of it but what it says it hears.
func TestPusherTraps(t *testing.T) {
	t.Setenv("REALTIME_TEST_PUSHER", "secret-1")
	c := Start(t, pusherSite)
	near := dialPusher(t, c)
	for _, join := range []string{joinFrame(near.id, "private-x", ""), joinFrame(near.id, "presence-x", `{"user_id":"ann"}`)} {
		if got := near.ask(join); !strings.Contains(got, "subscription_succeeded") {
			t.Fatal(got)
		}
	}
	eve := `{"user_id":"eve"}`
	member := func(id string) func(string) []string {
		return func(socket string) []string {
			return []string{joinFrame(socket, "presence-"+socket, `{"user_id":`+id+`}`)} // members stay for some seconds
		}
	}
	frames := func(f ...string) func(string) []string { return func(string) []string { return f } }
	deep := strings.Repeat(`{"a":`, 5_000) + "1" + strings.Repeat("}", 5_000)
	for name, row := range map[string]struct {
		frames func(socket string) []string
		want   string // in the last answer; no answer at all if empty
		code   int
		hears  string // what arrives at the other one; nothing if empty
	}{
		"private in the middle":    {frames(`{"event":"pusher:subscribe","data":{"channel":"my-private-x"}}`), "subscription_succeeded", 0, ""},
		"private in capitals":      {frames(`{"event":"pusher:subscribe","data":{"channel":"PRIVATE-x"}}`), "subscription_succeeded", 0, ""},
		"nothing but the kind":     {frames(`{"event":"pusher:subscribe","data":{"channel":"private-"}}`), `"status":401`, 0, ""},
		"data in a string":         {frames(`{"event":"pusher:subscribe","data":"{\"channel\":\"news\"}"}`), "subscription_succeeded", 0, ""},
		"data in two strings":      {frames(`{"event":"pusher:subscribe","data":"\"{}\""}`), `"code":4200`, 0, ""},
		"the last of two channels": {frames(`{"event":"pusher:subscribe","data":{"channel":"news","channel":"private-x"}}`), `"status":401`, 0, ""},
		"the last of two events":   {frames(`{"event":"pusher:ping","event":"pusher_internal:member_added","channel":"presence-x","data":"{}"}`), `"code":4200`, 0, ""},
		"deep data":                {frames(`{"event":"pusher:subscribe","data":` + deep + `}`), `"code":4200`, 0, ""},
		"deep member":              {member(`"a","user_info":` + strings.Repeat(`{"a":`, 600) + "1" + strings.Repeat("}", 600)), "subscription_", 0, ""},
		"an internal event":        {frames(`{"event":"pusher_internal:member_removed","channel":"presence-x","data":"{\"user_id\":\"ann\"}"}`), `"code":4200`, 0, ""},
		"an event of the server":   {frames(`{"event":"pusher:error","channel":"private-x","data":{"code":4001}}`), `"code":4200`, 0, ""},
		"client- in the middle": {func(id string) []string {
			return []string{joinFrame(id, "private-x", ""), `{"event":"xclient-y","channel":"private-x","data":1}`}
		}, `"code":4200`, 0, ""},
		"a client event": {func(id string) []string {
			return []string{joinFrame(id, "private-x", ""), `{"event":"client-y","channel":"private-x","data":{"a":1},"user_id":"ann","socket_id":"1.1"}`}
		}, "subscription_succeeded", 0, `{"event":"client-y","channel":"private-x","data":"{\"a\":1}"}`},
		"another member's event": {func(id string) []string {
			return []string{joinFrame(id, "presence-x", eve), `{"event":"client-y","channel":"presence-x","data":1,"user_id":"ann"}`}
		}, "subscription_succeeded", 0, `{"event":"client-y","channel":"presence-x","data":"1","user_id":"eve"}`},
		"a long client event": {func(id string) []string {
			return []string{joinFrame(id, "private-x", ""), `{"event":"client-` + strings.Repeat("y", 200) + `","channel":"private-x","data":1}`}
		}, `"code":4`, 0, ""},
		"a large client event": {func(id string) []string {
			return []string{joinFrame(id, "private-x", ""), `{"event":"client-y","channel":"private-x","data":"` + strings.Repeat("y", 10<<10) + `"}`}
		}, `"code":4`, 0, ""},
		"twice":                      {func(id string) []string { f := joinFrame(id, "private-y", ""); return []string{f, f} }, "subscription_succeeded", 0, ""},
		"a member twice":             {func(id string) []string { f := joinFrame(id, "presence-"+id, eve); return []string{f, f} }, `\"count\":1`, 0, ""},
		"a signature of another one": {func(string) []string { return []string{joinFrame(near.id, "private-x", "")} }, `"status":401`, 0, ""},
		"a signature for another": {func(id string) []string {
			return []string{strings.Replace(joinFrame(id, "private-y", ""), "private-y", "private-x", 1)}
		}, `"status":401`, 0, ""},
		"a member without a word":  {func(id string) []string { return []string{joinFrame(id, "presence-x", "")} }, `"status":401`, 0, ""},
		"user 1":                   {member(`1`), `\"ids\":[\"1\"]`, 0, ""},
		"user 1.50":                {member(`1.50`), `\"ids\":[\"1.50\"]`, 0, ""},
		"a large user number":      {member(strings.Repeat("9", 40)), `\"ids\":[\"` + strings.Repeat("9", 40) + `\"]`, 0, ""},
		"an unusual user":          {member(`"\u0000é\"<😀"`), `subscription_succeeded`, 0, ""},
		"half a character":         {member(`"\ud800"`), `subscription_`, 0, ""},
		"no user":                  {member(`null`), `"status":401`, 0, ""},
		"an empty user":            {member(`""`), `"status":401`, 0, ""},
		"a true user":              {member(`true`), `"status":401`, 0, ""},
		"a user of many":           {member(`["ann"]`), `"status":401`, 0, ""},
		"a long user":              {member(quoted(strings.Repeat("é", 65))), `"status":401`, 0, ""},
		"info that is a list":      {member(`"a","user_info":[1]`), `"status":401`, 0, ""},
		"large info":               {member(`"a","user_info":{"a":"` + strings.Repeat("x", 5000) + `"}`), `LimitReached`, 0, ""},
		"a user of a megabyte":     {member(quoted(strings.Repeat("x", 1<<20))), "", 1009, ""},
		"a frame of two megabytes": {frames(`{"event":"` + strings.Repeat("x", 2<<20) + `"}`), "", 1009, ""},
		"no text":                  {frames("{\"event\":\"\xff\xfe\"}"), "", 1007, ""},
		"signed in twice":          {func(id string) []string { f := signInFrame(id, `{"id":"eve"}`); return []string{f, f} }, "signin_success", 0, ""},
		"signed in as somebody else": {func(id string) []string {
			return []string{signInFrame(id, `{"id":"eve"}`), signInFrame(id, `{"id":"ann"}`)}
		}, "4009", 4009, ""},
		"a sign-in without an id": {func(id string) []string { return []string{signInFrame(id, `{"id":1}`)} }, "4009", 4009, ""},
		"another one's channel": {func(id string) []string {
			return []string{signInFrame(id, `{"id":"eve"}`), `{"event":"pusher:subscribe","data":{"channel":"#server-to-user-ann"}}`}
		}, `"status":401`, 0, ""},
		"a signed channel of a user": {func(id string) []string { return []string{joinFrame(id, "#server-to-user-ann", "")} }, `"status":401`, 0, ""},
	} {
		p := dialPusher(t, c)
		for _, f := range row.frames(p.id) {
			_ = p.WriteMessage(websocket.TextMessage, []byte(f))
		}
		answers := 1 // members of a new channel may come after the pong
		if strings.HasSuffix(name, "twice") {
			answers = 2
		}
		for ; row.want != "" && answers > 0; answers-- {
			if got, code := p.until("", row.want); code != 0 {
				t.Errorf("%s: closed with %d after %.300q", name, code, got)
			}
		}
		if got, code := p.until(pingFrame, "pusher:pong"); code != row.code {
			t.Errorf("%s: closed with %d after %.300q", name, code, got)
		}
		p.Close()
		heard, code := near.until(pingFrame, "pusher:pong")
		heard = slices.DeleteFunc(heard, func(text string) bool { return strings.Contains(text, `\"user_id\":\"eve\"`) }) // comes and goes
		if code != 0 || strings.Join(heard, "") != row.hears {
			t.Errorf("%s: another connection, closed with %d, hears %q", name, code, heard)
		}
	}
	for _, name := range []string{"a/b", "a b", "a:b", "a*", "é", "a\u0000", "a\u2028", "<x>", `"`, "#server-to-user-a b", "#x", "private-#server-to-user-1"} {
		if got := near.ask(`{"event":"pusher:subscribe","data":{"channel":` + quoted(name) + `}}`); !strings.Contains(got, `"code":4200`) {
			t.Errorf("channel %q: %s", name, got)
		}
	}
}

// A request that was not signed as it is, or not now, changes nothing. Neither does one beyond the limits.
func TestPusherRequests(t *testing.T) {
	t.Setenv("REALTIME_TEST_PUSHER", "secret-1")
	c := Start(t, pusherSite)
	near := dialPusher(t, c)
	near.ask(`{"event":"pusher:subscribe","data":{"channel":"c"}}`)
	ev := func(fields string) string { return `{"name":"e","data":"d","channel":"d"` + fields + `}` }
	batch := func(n int) string {
		return `{"batch":[` + strings.TrimSuffix(strings.Repeat(ev("")+",", n), ",") + `]}`
	}
	channels := func(n int) string {
		return `{"name":"e","data":"d","channels":["d"` + strings.Repeat(`,"d"`, n-1) + `]}`
	}
	sized := func(n int) string { return `{"name":"e","channel":"d","data":"` + strings.Repeat("x", n) + `"}` }
	hit := `{"name":"hit","data":"d","channel":"c"}`
	now := func(d int) string { return fmt.Sprint(time.Now().Unix() + int64(d)) }
	const events, batches = "POST /apps/my-app/events", "POST /apps/my-app/batch_events"
	for name, row := range map[string]struct {
		request, body string
		change        map[string]string // of the query, before it is signed
		before, after string            // the query that is sent, unsigned
		want          int
	}{
		"within the window":     {events, ev(""), map[string]string{"auth_timestamp": now(-590)}, "", "", 200},
		"too old":               {events, hit, map[string]string{"auth_timestamp": now(-610)}, "", "", 401},
		"too new":               {events, hit, map[string]string{"auth_timestamp": now(610)}, "", "", 401},
		"a time that is none":   {events, hit, map[string]string{"auth_timestamp": "now"}, "", "", 401},
		"a huge time":           {events, hit, map[string]string{"auth_timestamp": strings.Repeat("9", 30)}, "", "", 401},
		"the greatest time":     {events, hit, map[string]string{"auth_timestamp": "9223372036854775807"}, "", "", 401},
		"an old time renewed":   {events, hit, map[string]string{"auth_timestamp": now(-9999)}, "", "&auth_timestamp=" + now(0), 401},
		"a new time before":     {events, hit, map[string]string{"auth_timestamp": now(-9999)}, "auth_timestamp=" + now(0) + "&", "", 401},
		"a list of times":       {events, hit, map[string]string{"auth_timestamp": now(-9999)}, "", "&auth_timestamp[]=" + now(0), 401},
		"an unsigned parameter": {events, hit, nil, "", "&info=user_count", 401},
		"another key as well":   {events, hit, nil, "", "&auth_key=other", 401},
		"no signature":          {events, hit, nil, "", "&auth_signature=", 401},
		"a signature of zeros":  {events, hit, nil, "", "&auth_signature=" + strings.Repeat("0", 64), 401},
		"version 2":             {events, hit, map[string]string{"auth_version": "2.0"}, "", "", 401},
		"the MD5 of another":    {events, hit, map[string]string{"body_md5": fmt.Sprintf("%x", md5.Sum(nil))}, "", "", 401},
		"no MD5":                {events, hit, map[string]string{"body_md5": ""}, "", "", 401},
		"the MD5 later":         {events, hit, map[string]string{"body_md5": "00"}, "", "&body_md5=" + fmt.Sprintf("%x", md5.Sum([]byte(hit))), 401},
		"another app":           {"POST /apps/other/events", hit, nil, "", "", 200}, // of the site, which answers everything
		"another method":        {"PUT /apps/my-app/events", hit, nil, "", "", 404},
		"ten events":            {batches, batch(10), nil, "", "", 200},
		"eleven events":         {batches, batch(11), nil, "", "", 400},
		"no events":             {batches, batch(0), nil, "", "", 400},
		"null for a batch":      {batches, `{"batch":null}`, nil, "", "", 400},
		"one event is wrong":    {batches, `{"batch":[` + hit + `,{"name":"pusher:x","data":"","channel":"c"}]}`, nil, "", "", 400},
		"100 channels":          {events, channels(100), nil, "", "", 200},
		"101 channels":          {events, channels(101), nil, "", "", 400},
		"no channel":            {events, `{"name":"e","data":"d"}`, nil, "", "", 400},
		"10 KiB":                {events, sized(10 << 10), nil, "", "", 200},
		"more than 10 KiB":      {events, sized(10<<10 + 1), nil, "", "", 413},
		"a huge body":           {events, sized(600 << 10), nil, "", "", 413},
		"data that is no text":  {events, `{"name":"e","channel":"d","data":{"a":[1]}}`, nil, "", "", 200},
		"no data":               {events, `{"name":"hit","channel":"c"}`, nil, "", "", 400},
		"a reserved name":       {events, `{"name":"pusher_internal:member_added","channel":"c","data":"{}"}`, nil, "", "", 400},
		"a long name":           {events, `{"name":"` + strings.Repeat("x", 201) + `","channel":"c","data":"{}"}`, nil, "", "", 400},
		"a wrong channel":       {events, `{"name":"hit","data":"d","channels":["c","a/b"]}`, nil, "", "", 400},
		"a wrong socket_id":     {events, `{"name":"hit","data":"d","channel":"c","socket_id":"a"}`, nil, "", "", 400},
		"a list":                {events, `[` + hit + `]`, nil, "", "", 400},
		"null":                  {events, `null`, nil, "", "", 400},
		"no body":               {events, ``, nil, "", "", 400},
		"half a body":           {events, hit[:len(hit)-1], nil, "", "", 400},
		"more after the event":  {events, hit + hit, nil, "", "", 400},
		"deep":                  {events, `{"name":"e","channel":"d","data":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`, nil, "", "", 400},
		"no channel of a user":  {events, `{"name":"e","data":"d","channel":"#server-to-user-nobody"}`, nil, "", "", 200},
		"a strange channel":     {"GET /apps/my-app/channels/a%2Fb", "", nil, "", "", 400},
		"users of no presence":  {"GET /apps/my-app/channels/c/users", "", nil, "", "", 400},
		"nobody's users":        {"GET /apps/my-app/channels/presence-z/users", "", nil, "", "", 200},
		"a user who is nobody":  {"POST /apps/my-app/users/a%2Fb%00/terminate_connections", "{}", nil, "", "", 200},
		"nothing there":         {"GET /apps/my-app/secret", "", nil, "", "", 404},
	} {
		method, path, _ := strings.Cut(row.request, " ")
		query := map[string]string{"auth_key": "key-1", "auth_timestamp": now(0), "auth_version": "1.0", "body_md5": fmt.Sprintf("%x", md5.Sum([]byte(row.body)))}
		for k, v := range row.change {
			if query[k] = v; v == "" {
				delete(query, k)
			}
		}
		var parts []string
		for _, k := range []string{"auth_key", "auth_timestamp", "auth_version", "body_md5"} {
			if v, ok := query[k]; ok {
				parts = append(parts, k+"="+v)
			}
		}
		signed := strings.Join(parts, "&")
		url := "http://" + c.Addr("site") + path + "?" + row.before + signed + "&auth_signature=" + pusherMAC(method+"\n"+path+"\n"+signed) + row.after
		answer, text := request(t, method, url, row.body)
		if answer.StatusCode != row.want {
			t.Errorf("%s: %d %.200s, not %d", name, answer.StatusCode, text, row.want)
		}
		if name != "another app" && answer.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: an answer of the type %s", name, answer.Header.Get("Content-Type"))
		}
	}
	if got, code := near.until(pingFrame, "pusher:pong"); code != 0 || len(got) > 0 {
		t.Errorf("a client gets %q, closed with %d", got, code)
	}
}
