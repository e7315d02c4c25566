package realtime

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/backend/memory"
	"github.com/caddy-realtime/caddy-realtime/backend/redis"
	"github.com/caddy-realtime/caddy-realtime/config"
	"github.com/caddy-realtime/caddy-realtime/document"
	"github.com/caddy-realtime/caddy-realtime/hub"
	"github.com/caddy-realtime/caddy-realtime/node"
	"github.com/caddy-realtime/caddy-realtime/notify"
	"github.com/caddy-realtime/caddy-realtime/policy"
	"github.com/caddy-realtime/caddy-realtime/presence"
	"github.com/caddy-realtime/caddy-realtime/protocol"
	"github.com/caddy-realtime/caddy-realtime/session"
)

// option is what the documentation must say of an option.
type option struct {
	// usual is the default: a number, a duration, a size, a word of the configuration, or
	// how a sentence goes on behind "Default: ". Nil says that the comment has no default.
	usual any
	// row is the section and the option in docs/configuration.md. Empty says that the
	// option has no row of its own there.
	row string
	// says is the column with the default, if that is more than usual.
	says string
	// bounds are all bounds with a number.
	bounds []string
}

// required is the default of an option that has none.
const required = "Required"

// size is a number of bytes.
type size int64

func (s size) String() string {
	switch {
	case s >= 1<<20 && s%(1<<20) == 0:
		return fmt.Sprintf("%dMiB", s>>20)
	case s >= 1<<10 && s%(1<<10) == 0:
		return fmt.Sprintf("%dKiB", s>>10)
	}
	return strconv.FormatInt(int64(s), 10)
}

// word is a word of the configuration.
type word string

// written is a value as it is written in a Caddyfile: 5m, not 5m0s.
func written(value any) string {
	text := fmt.Sprint(value)
	if _, ok := value.(time.Duration); ok && strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
		if strings.HasSuffix(text, "h0m") {
			text = strings.TrimSuffix(text, "0m")
		}
	}
	return text
}

// inComment is what the comment of the field must have.
func (o option) inComment() string {
	switch v := o.usual.(type) {
	case nil:
		return ""
	case size:
		return fmt.Sprintf("Default: %d (%s)", int64(v), v)
	case word:
		return fmt.Sprintf("Default: `%s`", v)
	case string:
		if v == required {
			return v
		}
	}
	return "Default: " + written(o.usual)
}

// inRow is what the column with the default must have: a bound on the value may follow it.
func (o option) inRow() string {
	if o.says != "" {
		return o.says
	}
	switch v := o.usual.(type) {
	case nil:
		return ""
	case int:
		return strconv.Itoa(v)
	case string:
		return strings.TrimPrefix(v, "0, which means ")
	}
	return "`" + written(o.usual) + "`"
}

func most(value any) string  { return "at most " + strings.ToLower(written(value)) }
func least(value any) string { return "at least " + strings.ToLower(written(value)) }

// noLimit is the default of a number that is unlimited.
const noLimit = "0, which means no limit"

// options has every option, by type and field.
var options = map[string]option{
	"App.Hubs": {usual: "none"},

	"Handler.Path":           {usual: word(defaultPath)},
	"Handler.Hub":            {usual: word(config.DefaultHub), row: "The directive/hub"},
	"Handler.HubConfig":      {usual: "the hub is defined elsewhere"},
	"Handler.Console":        {usual: "off", row: "The directive/console"},
	"Handler.Compression":    {usual: "off", row: "The directive/compression"},
	"Handler.Origins":        {usual: "pages of the same origin as this route", row: "The directive/origins", says: "only pages of the site itself, at a [known host](security.md#pages-of-other-sites)"},
	"Handler.APIKeys":        {usual: "none", row: "The directive/api_key", says: "none: the app's API is closed"},
	"Handler.ScopedAPIKeys":  {usual: "none", row: "The directive/api_key+"},
	"Handler.User":           {usual: "none", row: "The directive/user", says: "every connection is anonymous"},
	"Handler.Info":           {usual: "nothing", row: "The directive/info"},
	"Handler.Token":          {usual: "tokens are not accepted", row: "The directive/token"},
	"Handler.Authorize":      {usual: "clients may do what the rooms allow", row: "The directive/authorize", says: "only the rooms decide"},
	"Handler.HandleMessages": {usual: "what clients publish goes to the room at once", row: "The directive/handle_message", says: "the rooms publish at once"},
	"Handler.HandleCall":     {usual: "clients can not call the app", row: "The directive/handle_call", says: "clients can not call the app"},

	"HandleMessage.Channels":    {usual: required},
	"HandleMessage.Concurrency": {usual: config.DefaultHandleConcurrency, row: "handle_message/concurrency"},
	"HandleMessage.Timeout":     {usual: config.DefaultHandleTimeout, row: "handle_message/timeout"},
	"HandleMessage.MaxAnswer":   {usual: size(config.DefaultMaxAnswer), row: "handle_message/max_answer"},
	"HandleMessage.Routes":      {usual: required},

	"HandleCall.Concurrency": {usual: config.DefaultHandleConcurrency, row: "handle_call/concurrency"},
	"HandleCall.Timeout":     {usual: config.DefaultHandleTimeout, row: "handle_call/timeout"},
	"HandleCall.MaxAnswer":   {usual: size(config.DefaultMaxAnswer), row: "handle_call/max_answer"},
	"HandleCall.Routes":      {usual: required},

	"Handler.Turn":                {usual: "nobody gets any", row: "The directive/turn", says: "nobody gets any"},
	"Turn.URIs":                   {usual: required, row: "turn/uri", says: "required", bounds: []string{most(config.MaxTurnURIs)}},
	"Turn.Secret":                 {usual: required, row: "turn/secret", says: "required"},
	"Turn.TTL":                    {usual: config.DefaultTurnTTL, row: "turn/ttl", bounds: []string{least(config.MinTurnTTL), most(config.MaxTurnTTL)}},
	"Turn.Anyone":                 {usual: "only users get credentials", row: "turn/anyone", says: "only users get credentials"},
	"Handler.SocketIO":            {usual: "they can not connect", row: "The directive/socketio", says: "clients of Socket.IO can not connect"},
	"SocketIO.Path":               {usual: word(config.DefaultSocketIOPath)},
	"SocketIO.Prefix":             {usual: "none", row: "socketio/prefix"},
	"SocketIO.Origins":            {usual: "all", row: "socketio/origins"},
	"SocketIO.ConnectTimeout":     {usual: config.DefaultConnectTimeout, row: "socketio/connect_timeout", bounds: []string{"at least 1s", most(config.MaxConnectTimeout)}},
	"SocketIO.Ping":               {usual: "the heartbeat of the hub", row: "socketio/ping", says: "the hub's"},
	"SocketIO.Recovery":           {usual: "it can not", row: "socketio/recovery", says: "off", bounds: []string{"at least 1s", most(session.MaxTicketLife)}},
	"SocketIO.Cookie":             {usual: "none", row: "socketio/cookie"},
	"SocketIO.Emitter":            {usual: "off", row: "socketio/emitter"},
	"SocketIO.LaravelEcho":        {usual: "off", row: "socketio/laravel_echo"},
	"LaravelEcho.Concurrency":     {usual: config.DefaultHandleConcurrency},
	"LaravelEcho.Timeout":         {usual: config.DefaultHandleTimeout},
	"LaravelEcho.MaxAnswer":       {usual: size(config.DefaultMaxAnswer)},
	"LaravelEcho.Routes":          {usual: required},
	"SocketIO.Root":               {usual: "nothing"},
	"SocketIO.Namespaces":         {usual: "none", row: "socketio/namespace"},
	"SocketIONamespace.Name":      {usual: required},
	"SocketIONamespace.Rooms":     {usual: "off", row: "socketio/rooms"},
	"SocketIONamespace.On":        {usual: "none", row: "socketio/on"},
	"SocketIONamespace.OnConnect": {usual: "none", row: "socketio/on_connect"},
	"SocketIORule.Event":          {usual: required},
	"SocketIORule.Do":             {usual: required},
	"SocketIORule.Argument":       {usual: "0"},
	"SocketIORule.As":             {usual: "that of the event"},
	"SocketIORule.Volatile":       {usual: "off"},
	"SocketIOEmit.Event":          {usual: required},
	"SocketIOEmit.Auth":           {usual: "off"},

	"Handler.Pushers":          {usual: "none", row: "The directive/pusher", says: "none"},
	"Pusher.App":               {usual: required},
	"Pusher.Keys":              {usual: required},
	"PusherKey.Key":            {usual: required, row: "pusher/key", says: "required"},
	"PusherKey.Secret":         {usual: required, row: "pusher/secret", says: "required"},
	"Pusher.Prefix":            {usual: "none", row: "pusher/prefix"},
	"Pusher.ClientEvents":      {usual: "off", row: "pusher/client_events"},
	"Pusher.Recover":           {usual: "off", row: "pusher/recover"},
	"Pusher.Watchlists":        {usual: "off", row: "pusher/watchlists", bounds: []string{"at most 100"}},
	"Pusher.SubscriptionCount": {usual: "off", row: "pusher/subscription_count"},
	"Pusher.Path":              {usual: "none", row: "pusher/path"},
	"Pusher.Origins":           {usual: "all", row: "pusher/origins"},
	"Pusher.ActivityTimeout":   {usual: config.DefaultActivity, row: "pusher/activity_timeout", bounds: []string{"at least 1s"}},

	"Pusher.Members":        {usual: config.DefaultMembers, row: "pusher/members", bounds: []string{"at most 10000"}},
	"Pusher.Webhooks":       {usual: "the app is not notified", row: "pusher/webhooks", says: "the app is not notified"},
	"PusherWebhooks.Events": {usual: required},
	"PusherWebhooks.Routes": {usual: required},

	"Handler.Notify": {usual: "the app is not notified", row: "The directive/notify", says: "the app is not notified"},

	"Notify.Events":       {usual: required, row: "notify/events", says: "required"},
	"Notify.Channels":     {usual: "all channels", row: "notify/channels"},
	"Notify.Secrets":      {usual: required, row: "notify/secret", says: "required"},
	"NotifyBatch.Events":  {usual: notify.DefaultBatch, row: "notify/batch", says: "`100 50ms`"},
	"NotifyBatch.Wait":    {usual: notify.DefaultWait},
	"Notify.Retry":        {usual: "1h", row: "notify/retry", says: "`1h`"},
	"NotifyBuffer.Events": {usual: notify.DefaultBufferEvents, row: "notify/buffer", says: "`100000 64MiB`"},
	"NotifyBuffer.Bytes":  {usual: size(notify.DefaultBufferBytes)},
	"Notify.Batch":        {},
	"Notify.Buffer":       {},
	"Notify.Routes":       {usual: required},

	"APIKey.Key":    {usual: required},
	"APIKey.Allow":  {usual: "none"},
	"APIKey.Manage": {usual: "false"},

	"Authorize.On":      {usual: "all of them", row: "authorize/on", says: "all three"},
	"Authorize.Cache":   {usual: auth.DefaultRemember, row: "authorize/cache"},
	"Authorize.Timeout": {usual: auth.DefaultTimeout, row: "authorize/timeout"},
	"Authorize.Routes":  {usual: required},

	"Token.HMAC":      {row: "token/hmac", says: "one of `hmac`, `public_key`, `jwks` is required", bounds: []string{most(auth.MaxKeys), least(auth.MinSecret)}},
	"Token.PublicKey": {row: "token/public_key", bounds: []string{most(auth.MaxKeys)}},
	"Token.JWKS":      {row: "token/jwks"},
	"Token.Issuer":    {usual: "any", row: "token/issuer"},
	"Token.Audience":  {usual: "any", row: "token/audience"},
	"Token.Leeway":    {usual: auth.DefaultLeeway, row: "token/leeway"},
	"Token.From":      {usual: "`" + strings.Join(sources, "`, `") + "`", row: "token/from", says: "`" + strings.Join(sources, " ") + "`"},
	"Token.Required":  {usual: "a client without a token is anonymous", row: "token/required"},
	"Token.Deadline":  {usual: session.DefaultDeadline, row: "token/deadline"},

	"Hub.Heartbeat": {},
	"Hub.Limits":    {},
	"Hub.Rooms":     {usual: "none"},
	"Hub.Redis":     {usual: "each node has rooms of its own"},
	"Hub.Store":     {usual: "a restart loses them", row: "store", says: "no file"},

	"Hub.Drain":    {},
	"Drain.Window": {usual: node.DefaultDrainWindow, row: "drain", says: draining, bounds: []string{most(node.MaxDrainWindow)}},
	"Drain.Exit":   {usual: node.DefaultExitDrain, row: "drain", says: draining},

	"Heartbeat.Interval": {usual: hub.DefaultHeartbeat, row: "heartbeat", says: heartbeat},
	"Heartbeat.Timeout":  {usual: hub.DefaultTimeout, row: "heartbeat", says: heartbeat},

	"Limits.Connections":        {usual: noLimit, row: "limits/connections"},
	"Limits.ConnectionsPerUser": {usual: noLimit, row: "limits/connections_per_user"},
	"Limits.ConnectionsPerIP":   {usual: noLimit, row: "limits/connections_per_ip"},
	"Limits.Handshakes":         {usual: "no limit", row: "limits/handshakes"},
	"Limits.HandshakesPerIP":    {usual: "no limit", row: "limits/handshakes_per_ip"},
	"Limits.Channels":           {usual: config.DefaultChannels, row: "limits/channels"},
	"Limits.MessageSize":        {usual: size(session.DefaultMessageSize), row: "limits/message_size", bounds: []string{least(config.MinMessageSize)}},
	"Limits.Rate":               {usual: "no limit", row: "limits/rate"},
	"Limits.RequestMemory":      {usual: size(config.DefaultRequestMemory), row: "limits/request_memory"},
	"Limits.RequestMemoryPerIP": {usual: "a quarter of RequestMemory", row: "limits/request_memory_per_ip", says: "a quarter of `request_memory`"},
	"Limits.Queue":              {row: "limits/queue", says: queue},
	"Limits.HistoryMemory":      {usual: size(memory.DefaultHistoryBytes), row: "limits/history_memory"},
	"Limits.DocumentMemory":     {usual: size(session.DefaultDocumentMemory), row: "limits/document_memory", says: documents},
	"Limits.DocumentShare":      {usual: "a sixteenth of DocumentMemory", row: "limits/document_memory", says: documents, bounds: []string{least(size(session.LeastDocumentShare))}},
	"Queue.Messages":            {usual: hub.DefaultQueueMessages, row: "limits/queue", says: queue},
	"Queue.Bytes":               {usual: size(hub.DefaultQueueBytes), row: "limits/queue", says: queue},
	"Rate.PerSecond":            {usual: noLimit},
	"Rate.Burst":                {usual: "what PerSecond allows in one second"},

	"Room.Pattern":          {usual: required},
	"Room.Subscribe":        {usual: word(config.DefaultSubscribe.String()), row: "room/subscribe"},
	"Room.Publish":          {usual: word(config.DefaultPublish.String()), row: "room/publish"},
	"Room.SubscribePattern": {usual: "nobody", row: "room/subscribe_pattern"},
	"Room.Read":             {usual: "the same as Subscribe", row: "room/read", says: "who may subscribe"},
	"Room.History":          {usual: "none", row: "room/history"},
	"Room.Presence":         {usual: "it does not", row: "room/presence", says: "no presence"},
	"Room.Document":         {usual: "there is none", row: "room/document", says: "no document"},
	"Room.Slow":             {usual: word(config.DefaultSlow), row: "room/slow"},
	"Room.Rate":             {usual: "no limit", row: "room/rate"},
	"Room.TotalRate":        {usual: "no limit", row: "room/total_rate"},
	"Room.Content":          {usual: "only message_size bounds it", row: "room/content", says: "what `message_size` allows"},
	"Room.Schema":           {usual: "any JSON is accepted", row: "room/schema", says: "any JSON"},
	"Room.Filter":           {usual: "everybody gets all messages", row: "room/filter", says: "all messages"},
	"Room.Sanitize":         {usual: word(config.DefaultSanitize.String()), row: "room/sanitize"},
	"History.Size":          {usual: "0, which means no history", row: "room/history", says: "none"},
	"History.TTL":           {usual: "0, which means until newer messages take its place", row: "room/history", says: "none"},

	"Presence.Grace":    {usual: presence.DefaultGrace, row: "presence/grace"},
	"Presence.Remember": {usual: presence.DefaultRemember, row: "presence/remember"},
	"Presence.Snapshot": {usual: presence.DefaultSnapshot, row: "presence/snapshot", bounds: []string{most(config.MaxSnapshot)}},
	"Presence.Visible":  {usual: "the same as the room's subscribe", row: "presence/visible", says: "who may subscribe"},

	"Document.Change":     {usual: "the same as the room's publish", row: "document/change", says: "who may publish"},
	"Document.Conflict":   {usual: word(config.DefaultConflict), row: "document/conflict"},
	"Document.Size":       {usual: size(document.DefaultSize), row: "document/size"},
	"Document.Depth":      {usual: document.DefaultDepth, row: "document/depth", bounds: []string{most(config.MaxDocumentDepth)}},
	"Document.Operations": {usual: document.DefaultOperations, row: "document/operations", bounds: []string{most(config.MaxOperations)}},
	"Document.History":    {usual: document.DefaultHistory, row: "document/history", bounds: []string{most(config.MaxChanges)}},
	"Document.TTL":        {usual: "0, which means for ever", row: "document/ttl", says: "never", bounds: []string{least(config.MinDocumentTTL)}},

	"Content.Size":  {usual: "0, which means message_size", row: "What clients publish/size", says: "`message_size`"},
	"Content.Depth": {usual: fmt.Sprintf("0, which means %d", protocol.MaxDepth), row: "What clients publish/depth", bounds: []string{most(protocol.MaxDepth)}},
	"Content.Nodes": {usual: fmt.Sprintf("0, which means %d in a room with a schema or sanitizing", policy.DefaultNodes), row: "What clients publish/nodes", says: fmt.Sprintf("%d with a schema or sanitizing, else no limit", policy.DefaultNodes)},
	"Schema.File":   {},
	"Schema.Inline": {},

	"Store.Dir":  {usual: required},
	"Store.Sync": {usual: "0", row: "store/sync", says: "`0`", bounds: []string{"at most 1s"}},

	"Redis.Addresses":         {usual: word(redis.DefaultAddress)},
	"Redis.Sentinel":          {usual: "the addresses are those of Redis", row: "redis/sentinel"},
	"Redis.Cluster":           {usual: "the addresses are those of independent servers", row: "redis/cluster", says: cluster},
	"Redis.Username":          {usual: "none, which Redis takes as `default`", row: "redis/username", says: "Redis's `default`"},
	"Redis.Password":          {usual: "none", row: "redis/password"},
	"Redis.Database":          {usual: 0, row: "redis/database"},
	"Redis.Prefix":            {usual: fmt.Sprintf("`%[1]s`, and for a hub with a name `%[1]s<hub>:`", redis.DefaultPrefix), row: "redis/prefix", says: fmt.Sprintf("`%[1]s`, for a hub with a name `%[1]s<hub>:`", redis.DefaultPrefix)},
	"Redis.TLS":               {usual: "they are plain", row: "redis/tls", says: "plain connections"},
	"RedisSentinel.Master":    {usual: required},
	"RedisSentinel.Username":  {usual: "none"},
	"RedisSentinel.Password":  {usual: "none"},
	"RedisCluster.Partitions": {usual: redis.DefaultPartitions, row: "redis/cluster", says: cluster, bounds: []string{most(redis.MaxPartitions)}},
	"RedisTLS.CA":             {usual: "the certificates that the system trusts"},
	"RedisTLS.Cert":           {usual: "the node does not authenticate"},
	"RedisTLS.Key":            {usual: "the node does not authenticate"},
	"RedisTLS.ServerName":     {usual: "the host of the address"},
}

// The defaults of several options in one row.
var (
	draining  = fmt.Sprintf("`%s %s`", written(node.DefaultDrainWindow), written(node.DefaultExitDrain))
	heartbeat = fmt.Sprintf("`%s %s`", written(hub.DefaultHeartbeat), written(hub.DefaultTimeout))
	queue     = fmt.Sprintf("`%d %s`", hub.DefaultQueueMessages, size(hub.DefaultQueueBytes))
	documents = fmt.Sprintf("`%s`; the share is a sixteenth, at least `%s`", size(session.DefaultDocumentMemory), size(session.LeastDocumentShare))
	cluster   = fmt.Sprintf("no cluster; %d partitions", redis.DefaultPartitions)
)

// sources are where a token is looked for by default.
var sources = func() (kinds []string) {
	all, err := new(config.Token).Sources()
	if err != nil {
		panic(err)
	}
	for _, s := range all {
		kinds = append(kinds, s.Kind)
	}
	return kinds
}()
