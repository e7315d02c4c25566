package client

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // what the protocol has
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// The app of [Pusher]. The prefix of its channels makes them the rooms of the bench.
const (
	PusherApp    = "bench"
	PusherKey    = "bench-key"
	PusherSecret = "bench-secret-that-protects-nothing"
	PusherPrefix = "bench:"
)

// Pusher is the Pusher protocol of this project. Channel 0 is the room bench:0.
var Pusher = Dialect{
	WebSocket:  "/app/" + PusherKey + "?protocol=7&client=bench",
	Header:     "Content-Type: application/json\r\n",
	Subscribed: "subscription_succeeded",
	Join: func(_ int, _ []byte) string {
		return `{"event":"pusher:subscribe","data":{"channel":"` + pusherChannel + `"}}`
	},
	Post: func(room string, text []byte) (path string, body []byte) {
		return PusherEvents([]string{room}, text)
	},
}

// pusherChannel stands for the name that the room of a client has in this protocol.
const pusherChannel = "{channel}"

// PusherEvents returns a signed request that publishes a text to rooms.
func PusherEvents(rooms []string, text []byte) (path string, body []byte) {
	channels := make([]string, len(rooms))
	for i, room := range rooms {
		channels[i] = channelOf(room)
	}
	body, _ = json.Marshal(map[string]any{"name": "message", "channels": channels, "data": string(text)})
	sum := md5.Sum(body) //nolint:gosec // what the protocol has
	path = "/apps/" + PusherApp + "/events"
	query := fmt.Sprintf("auth_key=%s&auth_timestamp=%d&auth_version=1.0&body_md5=%x", PusherKey, time.Now().Unix(), sum)
	return path + "?" + query + "&auth_signature=" + pusherSign("POST\n"+path+"\n"+query), body
}

// PusherMember returns the first message of a client that enters the channel presence-0 as a member.
func PusherMember(greeting []byte, id, info string) string {
	_, socket, _ := bytes.Cut(greeting, []byte(`socket_id\":\"`))
	socket, _, _ = bytes.Cut(socket, []byte(`\`))
	const channel = "presence-0"
	data := fmt.Sprintf(`{"user_id":%q,"user_info":%s}`, id, info)
	text, _ := json.Marshal(map[string]any{"event": "pusher:subscribe", "data": map[string]string{
		"channel": channel, "channel_data": data, "auth": PusherKey + ":" + pusherSign(string(socket)+":"+channel+":"+data)}})
	return string(text)
}

func pusherSign(text string) string {
	mac := hmac.New(sha256.New, []byte(PusherSecret))
	mac.Write([]byte(text))
	return fmt.Sprintf("%x", mac.Sum(nil))
}

func channelOf(room string) string { return strings.TrimPrefix(room, PusherPrefix) }

// NativeMessages returns a request of this project's own HTTP API that publishes a text to rooms.
func NativeMessages(rooms []string, text []byte) (path string, body []byte) {
	body, _ = json.Marshal([]map[string]any{{"channels": rooms, "content": string(text)}})
	return "/realtime/publish", body
}
