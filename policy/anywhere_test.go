package policy

import (
	"testing"

	"github.com/caddy-realtime/caddy-realtime/protocol"
)

func TestAllowAnywhere(t *testing.T) {
	t.Parallel()
	granted, err := CompileGrants([]Grant{{Pattern: "a", Allow: []string{"publish"}}})
	if err != nil {
		t.Fatal(err)
	}
	readers, err := CompileGrants([]Grant{{Pattern: "a", Allow: []string{"subscribe"}}})
	if err != nil {
		t.Fatal(err)
	}
	nobody, ann := &Subject{}, &Subject{User: "ann"}
	for _, test := range []struct {
		name  string
		rooms []Room
		s     *Subject
		want  protocol.Code
	}{
		{"no rooms", nil, ann, protocol.Forbidden},
		{"the server's", []Room{{Pattern: "*", Publish: Server, Subscribe: Anyone}}, ann, protocol.Forbidden},
		{"the server's, anonymous", []Room{{Pattern: "*", Publish: Server, Subscribe: Anyone}}, nobody, protocol.Forbidden},
		{"anyone", []Room{{Pattern: "a", Publish: Server}, {Pattern: "*", Publish: Anyone}}, nobody, ""},
		{"users", []Room{{Pattern: "*", Publish: Users}}, ann, ""},
		{"users, anonymous", []Room{{Pattern: "*", Publish: Users}}, nobody, protocol.Unauthorized},
		{"granted", []Room{{Pattern: "*", Publish: Granted}}, &Subject{Grants: granted}, ""},
		{"granted, anonymous", []Room{{Pattern: "*", Publish: Granted}}, nobody, protocol.Unauthorized},
		{"granted for something else", []Room{{Pattern: "*", Publish: Granted}}, &Subject{User: "ann", Grants: readers}, protocol.Forbidden},
		{"a claim", []Room{{Pattern: "{claim.team}", Publish: Anyone}}, &Subject{Claims: map[string]string{"team": "x"}}, ""},
		{"a claim that is missing", []Room{{Pattern: "{claim.team}", Publish: Anyone}}, nobody, protocol.Unauthorized},
	} {
		p, err := Compile(test.rooms)
		if err != nil {
			t.Fatal(test.name, err)
		}
		e := p.AllowAnywhere(Publish, test.s)
		if got := code(e); got != test.want {
			t.Errorf("%s: %v, want %q", test.name, e, test.want)
		}
	}
	if e := (*Policy)(nil).AllowAnywhere(Publish, ann); code(e) != protocol.Forbidden {
		t.Error(e)
	}
}

func TestScopeAllowsAnywhere(t *testing.T) {
	t.Parallel()
	narrow, err := NewScope(map[string][]string{"history": {"a"}}, true)
	if err != nil {
		t.Fatal(err)
	}
	if e := narrow.AllowAnywhere(Publish); code(e) != protocol.Forbidden {
		t.Error(e)
	}
	if e := narrow.AllowAnywhere(History); e != nil {
		t.Error(e)
	}
	if e := (*Scope)(nil).AllowAnywhere(Publish); e != nil {
		t.Error(e)
	}
}
