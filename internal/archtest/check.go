package archtest

import (
	"fmt"
	"strings"
)

// pkg is what the go command returns about a package.
type pkg struct {
	ImportPath string
	Doc        string // the first sentence of the package comment
	Standard   bool
	Imports    []string
}

// graph has packages by import path: those of the module, and all that they depend on.
type graph map[string]pkg

// check compares the packages of a module with the rules and returns a description of each
// break.
func (g graph) check(module string, rules []rule) (broken []string) {
	for path, p := range g {
		name, ours := below(module, path)
		if !ours {
			continue
		}
		if p.Doc == "" {
			broken = append(broken, fmt.Sprintf("%s has no package comment", name))
		}
		r, ok := find(rules, name)
		if !ok {
			broken = append(broken, fmt.Sprintf("%s has no rule; add one, with its reason", name))
			continue
		}
		for _, imported := range p.Imports {
			if !r.allows(g, module, imported) {
				broken = append(broken, fmt.Sprintf("%s imports %s, but %s", name, imported, r.why))
			}
		}
		if by := g.leadsTo(path, r.never); by != "" {
			broken = append(broken, fmt.Sprintf("%s depends on %s, but %s", name, by, r.why))
		}
	}
	return broken
}

// leadsTo returns a package of one of the modules that a package depends on, directly or
// not. It is empty if there is none.
func (g graph) leadsTo(path string, modules []string) string {
	seen := map[string]bool{path: true}
	for todo := []string{path}; len(todo) > 0 && len(modules) > 0; todo = todo[1:] {
		for _, imported := range g[todo[0]].Imports {
			if inside(modules, imported) {
				return imported
			}
			if !seen[imported] {
				seen[imported] = true
				todo = append(todo, imported)
			}
		}
	}
	return ""
}

func (r rule) allows(g graph, module, path string) bool {
	if name, ours := below(module, path); ours {
		return matchAny(r.ours, name)
	}
	if g[path].Standard || path == "C" || path == "unsafe" {
		return !matchAny(r.deny, path)
	}
	return inside(r.outside, path)
}

// below cuts the module off an import path. The module itself becomes ".".
func below(module, path string) (name string, ok bool) {
	if path == module {
		return ".", true
	}
	return strings.CutPrefix(path, module+"/")
}

func find(rules []rule, name string) (rule, bool) {
	for _, r := range rules {
		if match(r.pkg, name) {
			return r, true
		}
	}
	return rule{}, false
}

func matchAny(patterns []string, name string) bool {
	for _, p := range patterns {
		if match(p, name) {
			return true
		}
	}
	return false
}

// match compares a package with a pattern, where a trailing /... stands for the
// package itself and all below it; "./..." is everything.
func match(pattern, name string) bool {
	base, tree := strings.CutSuffix(pattern, "/...")
	return name == base || tree && (base == "." || strings.HasPrefix(name, base+"/"))
}

// inside reports whether a package belongs to one of some modules.
func inside(modules []string, path string) bool {
	for _, m := range modules {
		if match(strings.TrimSuffix(m, "/...")+"/...", path) {
			return true
		}
	}
	return false
}
