package attacks

import (
	"strings"
	"testing"
)

// richText is a schema as somebody would write it for an editor. It tries each node as
// two kinds, so that the tries double with each level.
const richText = `{"$ref":"#/$defs/n","$defs":{"n":{"oneOf":[
	{"type":"object","properties":{"t":{"const":"p"},"c":{"type":"array","items":{"$ref":"#/$defs/n"}}},"required":["t","c"]},
	{"type":"object","properties":{"t":{"const":"q"},"c":{"type":"array","items":{"$ref":"#/$defs/n"}}},"required":["t","c"]},
	{"type":"string"}]}}}`

// tree is a node with others in it, down to a leaf.
func tree(kind, leaf string, levels int) string {
	return strings.Repeat(`{"t":"`+kind+`","c":[`, levels) + leaf + strings.Repeat(`]}`, levels)
}

// twinText is a schema whose two kinds of node differ in nothing, so that both are always
// tried down to the leaves. A node has one member, because the library visits the members of
// an object in a random order, and a member that shows the kind would now and then come first.
const twinText = `{"$ref":"#/$defs/n","$defs":{"n":{"oneOf":[
	{"type":"object","properties":{"c":{"type":"array","items":{"$ref":"#/$defs/n"}}},"required":["c"]},
	{"type":"object","properties":{"c":{"type":"array","items":{"$ref":"#/$defs/n"}}},"required":["c"]},
	{"type":"string"}]}}}`

// twins is a node of that schema with others in it, down to a leaf that does not fit.
func twins(levels int) string {
	return strings.Repeat(`{"c":[`, levels) + "1" + strings.Repeat(`]}`, levels)
}

// attackSchemas send what is expensive to compare with a schema. What it may cost is the
// usual bound of the table.
func attackSchemas(w *world) []attack {
	publish := func(content string) request { return post("rich:1", `{"content":`+content+`}`, jsonType) }
	row := func(name, expect string, r request) attack {
		return attack{name, expect, func(t *testing.T) string { return w.site.send(t, r).String() }}
	}
	return []attack{
		row("a tree of 8 levels that fits", "200", publish(tree("p", `"x"`, 8))),
		row("a tree of 26 levels that does not", "422 SCHEMA_VIOLATION", publish(tree("x", "1", 26))),
		row("a tree of 26 levels whose leaf does not", "422 SCHEMA_VIOLATION", publish(tree("q", "1", 26))),
		row("26 levels that may be either of two kinds", "413 TOO_LARGE", post("twins:1", `{"content":`+twins(26)+`}`, jsonType)),
		row("7,000 strings of broken tags to be cleaned", "413 TOO_LARGE", post("markup:1",
			`{"content":[`+strings.Repeat(`"<<<<b>",`, 7000)+`0]}`, jsonType)),
		row("a document of 26 levels that may be either", "413 TOO_LARGE",
			request{"PUT", "/rt/channels/twins:1/document", []string{jsonType}, twins(26)}),
	}
}
