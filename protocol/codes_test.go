package protocol

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"
	"unicode/utf8"

	"github.com/caddy-realtime/caddy-realtime/hub"
)

func TestCodes(t *testing.T) {
	t.Parallel()
	var listed []string
	for _, c := range Codes() {
		listed = append(listed, string(c.Code))
		if c.Status < 400 || c.Status > 599 || c.Title == "" || c.Help == "" {
			t.Errorf("%s is not described: %+v", c.Code, c)
		}
		if c.Code.Info() != c {
			t.Errorf("%s is described as %+v", c.Code, c.Code.Info())
		}
	}
	declared := constants(t, "codes.go", "Code")
	if !slices.Equal(listed, declared) {
		t.Errorf("the table has %q, the constants are %q", listed, declared)
	}
	if got := Code("NEW").Info(); got.Status != 500 || got.Code != "NEW" {
		t.Errorf("an unknown code is %+v", got)
	}
	Codes()[0].Status = 1
	if Codes()[0].Status == 1 {
		t.Error("a caller can change the table")
	}
}

// constants reads the string constants of a type, or of none, out of a file, so
// that no test has to repeat them.
func constants(t *testing.T, file, typ string) (values []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, s := range g.Specs {
			v := s.(*ast.ValueSpec)
			name := ""
			if id, ok := v.Type.(*ast.Ident); ok {
				name = id.Name
			}
			lit, ok := v.Values[0].(*ast.BasicLit)
			if !ok || name != typ || lit.Kind != token.STRING {
				continue
			}
			value, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			values = append(values, value)
		}
	}
	if len(values) == 0 {
		t.Fatalf("no constants in %s", file)
	}
	return values
}

func TestCloseCodes(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	last := uint16(0)
	for _, c := range CloseCodes() {
		code := c.Reason.Code
		if code <= last || names[c.Name] || c.Name == "" || c.Help == "" {
			t.Errorf("%d is out of order, doubled or not described: %+v", code, c)
		}
		last, names[c.Name] = code, true
		// The payload of a close frame is 125 bytes with the code.
		if n := len(c.Reason.Text); n == 0 || n > 123 || !utf8.ValidString(c.Reason.Text) {
			t.Errorf("%d: the text has %d bytes", code, n)
		}
		if own := code >= 4000; own && c.Reconnect != (code >= 4500) {
			t.Errorf("%d: reconnect %t does not fit the range", code, c.Reconnect)
		}
		if MayReconnect(code) != c.Reconnect {
			t.Errorf("%d: MayReconnect differs from the table", code)
		}
	}
	for _, r := range []hub.Reason{
		hub.ReasonNormal, hub.ReasonGone, hub.ReasonLost, hub.ReasonRestart, hub.ReasonSlow, hub.ReasonSilent, hub.ReasonReplaced,
		ReasonProtocol, ReasonBinary, ReasonEncoding, ReasonPolicy, ReasonTooLarge, ReasonInternal, ReasonTryLater, ReasonVersion, ReasonUnauthorized, ReasonForbidden, ReasonTokenExpired,
	} {
		if !slices.ContainsFunc(CloseCodes(), func(c CloseInfo) bool { return c.Reason == r }) {
			t.Errorf("%+v is not in the table", r)
		}
	}
}

func TestMayReconnectByRange(t *testing.T) {
	t.Parallel()
	for code, want := range map[uint16]bool{1005: true, 1015: true, 4000: false, 4499: false, 4999: true, 3000: true} {
		if MayReconnect(code) != want {
			t.Errorf("%d: %t", code, !want)
		}
	}
}
