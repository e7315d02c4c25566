package filter

import (
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// mentions returns what an expression looks at of the subscriber. Subscribers that have the same
// values there share the evaluations of the filter. all reports that it may look at any claim,
// because the expression does not name them all.
func mentions(tree *cel.Ast) (user bool, claims []string, all bool) {
	root := ast.NavigateAST(tree.NativeRep())
	for _, e := range ast.MatchDescendants(root, ast.KindMatcher(ast.IdentKind)) {
		switch e.AsIdent() {
		case "user":
			user = true
		case "claim":
			if name, ok := claimName(e); ok {
				claims = append(claims, name)
			} else {
				all = true
			}
		}
	}
	slices.Sort(claims)
	return user, slices.Compact(claims), all
}

// claimName returns the claim that is looked at where the expression mentions `claim`:
// claim.NAME, claim["NAME"] or has(claim.NAME).
func claimName(claim ast.NavigableExpr) (string, bool) {
	parent, ok := claim.Parent()
	if !ok {
		return "", false
	}
	switch parent.Kind() {
	case ast.SelectKind:
		return parent.AsSelect().FieldName(), true
	case ast.CallKind:
		call := parent.AsCall()
		if call.FunctionName() != operators.Index || call.Args()[0].ID() != claim.ID() || call.Args()[1].Kind() != ast.LiteralKind {
			return "", false
		}
		name, ok := call.Args()[1].AsLiteral().(types.String)
		return string(name), ok
	}
	return "", false
}
