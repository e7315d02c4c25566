package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// edit replaces bytes of a file. Where edits start at the same byte, the outer expression opens first and
// closes last.
type edit struct {
	at, remove int
	text       string
	closes     bool
	span       int
}

// rewriter gives the operators of a file a switch, so that one binary has all mutants of a package.
type rewriter struct {
	set   *token.FileSet
	info  *types.Info
	own   *types.Package
	names map[string]string // import path: name in this file
	edits []edit
}

// binaries are the helpers of switches.go.tmpl that compute a binary operator or its mutant.
var binaries = map[token.Token]string{
	token.LSS: "mutantLess", token.LEQ: "mutantLess", token.GTR: "mutantLess", token.GEQ: "mutantLess",
	token.ADD: "mutantAdd", token.SUB: "mutantAdd", token.MUL: "mutantMultiply", token.QUO: "mutantMultiply",
	token.REM: "mutantRemainder",
}

// rewrite adds the switch of an operator. It returns false if the operator has none: gremlins does not change
// it, or the compiler needs a constant.
func (w *rewriter) rewrite(o operator, site int) bool {
	switch e := o.node.(type) {
	case *ast.BinaryExpr:
		if o.token == token.EQL || o.token == token.NEQ {
			if w.info.Types[e].Value != nil {
				return false
			}
			w.around(e, "((", fmt.Sprintf(") != mutantIs(%d, %d))", site, opposite(o.token)))
			return true
		}
		helper := binaries[o.token]
		if helper == "" {
			return false
		}
		open, closing := "", ")"
		if helper == "mutantLess" {
			if w.info.Types[e].Value != nil {
				return false
			}
			open, closing = "(", ") == true)" // untyped, as a comparison is
		} else if w.info.Types[e].Value != nil {
			if open = w.typeOf(e); open == "" {
				return false
			}
			helper, open = helper+"["+open+"]", ""
		}
		w.around(e, fmt.Sprintf("%s%s(%d, %d, ", open, helper, site, o.token), closing)
		w.edits = append(w.edits, edit{at: w.offset(o.at), remove: len(o.token.String()), text: ","})
	case *ast.IncDecStmt:
		assign := " += "
		if o.token == token.DEC {
			assign = " -= "
		}
		text := fmt.Sprintf("%smutantOne(%d, %d, ", assign, site, o.token)
		w.edits = append(w.edits, edit{at: w.offset(o.at), remove: 2, text: text + w.source(e.X) + ")"})
	case *ast.UnaryExpr:
		if o.token != token.SUB {
			return false
		}
		of := ""
		if w.info.Types[e].Value != nil {
			if of = w.typeOf(e); of == "" {
				return false
			}
			of = "[" + of + "]"
		}
		from, to := w.offset(e.Pos()), w.offset(e.End())
		w.edits = append(w.edits,
			edit{at: from, remove: 1, text: fmt.Sprintf("mutantNegative%s(%d, ", of, site), span: to - from},
			edit{at: to, text: ")", closes: true, span: to - from})
	default:
		return false
	}
	return true
}

// joinsText reports whether an operator joins strings, where its mutant does not compile.
func (w *rewriter) joinsText(o operator) bool {
	e, ok := o.node.(*ast.BinaryExpr)
	if !ok || o.token != token.ADD {
		return false
	}
	t := w.info.TypeOf(e)
	if t == nil {
		return false
	}
	basic, ok := t.Underlying().(*types.Basic)
	return ok && basic.Info()&types.IsString != 0
}

func opposite(t token.Token) token.Token {
	if t == token.EQL {
		return token.NEQ
	}
	return token.EQL
}

func (w *rewriter) offset(p token.Pos) int { return w.set.Position(p).Offset }

func (w *rewriter) around(n ast.Node, before, after string) {
	from, to := w.offset(n.Pos()), w.offset(n.End())
	w.edits = append(w.edits, edit{at: from, text: before, span: to - from},
		edit{at: to, text: after, closes: true, span: to - from})
}

// source returns an expression as text, for the operand of ++, which may be read twice.
func (w *rewriter) source(e ast.Expr) string { return types.ExprString(e) }

// typeOf returns the type of a constant as this file can name it, or "".
func (w *rewriter) typeOf(e ast.Expr) string {
	t := w.info.TypeOf(e)
	if basic, ok := t.(*types.Basic); ok && basic.Info()&types.IsUntyped != 0 {
		return ""
	}
	unnamed := false
	name := types.TypeString(t, func(p *types.Package) string {
		if p == w.own {
			return ""
		}
		n := w.names[p.Path()]
		unnamed = unnamed || n == ""
		return n
	})
	if unnamed {
		return ""
	}
	return name
}

// apply returns the file with its edits.
func (w *rewriter) apply(source string) string {
	slices.SortStableFunc(w.edits, func(a, b edit) int {
		switch {
		case a.at != b.at:
			return cmp.Compare(a.at, b.at)
		case a.closes != b.closes:
			if a.closes {
				return -1
			}
			return 1
		case a.closes:
			return cmp.Compare(a.span, b.span)
		}
		return cmp.Compare(b.span, a.span)
	})
	var out strings.Builder
	done := 0
	for _, e := range w.edits {
		out.WriteString(source[done:e.at])
		out.WriteString(e.text)
		done = e.at + e.remove
	}
	out.WriteString(source[done:])
	return out.String()
}
