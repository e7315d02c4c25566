package document

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

func appendInt(dst []byte, n int) []byte { return strconv.AppendInt(dst, int64(n), 10) }

// Apply applies a whole patch or, with an error, nothing of it. It returns the new tree and
// the paths that the patch touched. t does not change.
//
// Errors are [Invalid] for a patch that does not fit, [Failed] and [TooLarge].
func Apply(t Tree, p *Patch, l Limits) (Tree, []string, *Error) {
	l = l.withDefaults()
	e := edit{root: t.root, cost: cost{t.Size(), max(t.cost.nodes, 1), t.cost.objects}, limits: l, owner: new(token)}
	if err := e.apply(p); err != nil {
		return t, nil, err
	}
	return Tree{e.root, e.cost}, e.touched, nil
}

// edit is the application of a patch. It copies a container before it changes it for the
// first time, so that the tree at the start does not change.
type edit struct {
	owner   *token
	limits  Limits
	root    any
	cost    cost
	touched []string
	// appended has the arrays to which the patch has appended, with their length before.
	appended map[string]int
}

func (e *edit) apply(p *Patch) *Error {
	if p.merge != nil {
		root, err := e.merge(e.root, p.merge, "", 0)
		e.root = root
		return err
	}
	for i := range p.ops {
		if err := e.run(&p.ops[i]); err != nil {
			err.Text = "operation " + string(appendInt(nil, i)) + ": " + err.Text
			return err
		}
	}
	return nil
}

func (e *edit) run(op *operation) *Error {
	switch op.op {
	case "add":
		return e.add(op.path, op.value)
	case "remove":
		_, err := e.remove(op.path)
		return err
	case "replace":
		return e.replace(op.path, op.value)
	case "test":
		return e.test(op.path, op.value)
	case "increment":
		return e.increment(op.path, op.value)
	case "move":
		return e.move(op.from, op.path)
	default:
		return e.copy(op.from, op.path)
	}
}

// touch notes that the value at a path has changed.
func (e *edit) touch(path string) *Error {
	e.touchAppended(path)
	return e.note(path)
}

func (e *edit) note(path string) *Error {
	if len(path) > e.limits.Pointer {
		return failf(TooLarge, "a path has more than %d bytes", e.limits.Pointer)
	}
	e.touched = append(e.touched, path)
	return nil
}

// touchAppended notes the array as touched if a patch names, by its index, an element that it
// has appended itself: the index is of another element if others have appended as well.
func (e *edit) touchAppended(path string) {
	for list, length := range e.appended {
		rest, in := strings.CutPrefix(path, list+"/")
		segment, _, _ := strings.Cut(rest, "/")
		if i, err := strconv.Atoi(segment); in && err == nil && i >= length {
			e.touched = append(e.touched, list)
		}
	}
}

// grow adds the cost of a value at a depth, with extra bytes around it.
func (e *edit) grow(v any, depth, extra int) *Error {
	c, d := costOf(v)
	e.cost = e.cost.plus(c)
	e.cost.bytes += extra
	switch l := e.limits; {
	case depth+d > l.Depth:
		return failf(TooLarge, "the document would be nested more than %d levels deep", l.Depth)
	case e.cost.nodes > l.Nodes:
		return failf(TooLarge, "the document would have more than %d values", l.Nodes)
	case e.cost.bytes > l.Size:
		return failf(TooLarge, "the document would have more than %d bytes", l.Size)
	}
	return nil
}

func (e *edit) shrink(v any, extra int) {
	c, _ := costOf(v)
	e.cost = e.cost.minus(c)
	e.cost.bytes -= extra
}

// get returns the value at a path.
func (e *edit) get(p pointer) (any, *Error) {
	v := e.root
	for _, segment := range p {
		var ok bool
		if v, ok = lookUp(v, segment); !ok {
			return nil, missing(p)
		}
	}
	return v, nil
}

func lookUp(v any, segment string) (any, bool) {
	switch v := v.(type) {
	case *object:
		inner, ok := v.members[segment]
		return inner, ok
	case *array:
		if i, ok := parseIndex(segment, len(v.items)-1); ok {
			return v.items[i], true
		}
	}
	return nil, false
}

func missing(p pointer) *Error {
	return failf(Invalid, "there is nothing at the path %s", quote(p.String()))
}

// parent returns the container of the value at p. The container and all above it may be
// changed.
func (e *edit) parent(p pointer) (any, *Error) {
	at := editable(e.root, e.owner)
	e.root = at
	for _, segment := range p[:len(p)-1] {
		inner, ok := lookUp(at, segment)
		if !ok {
			return nil, missing(p)
		}
		inner = editable(inner, e.owner)
		switch at := at.(type) {
		case *object:
			at.members[segment] = inner
		case *array:
			at.items[indexOf(segment)] = inner
		}
		at = inner
	}
	return at, nil
}

func (e *edit) add(p pointer, v any) *Error {
	if len(p) == 0 {
		return e.replace(p, v)
	}
	at, err := e.parent(p)
	if err != nil {
		return err
	}
	switch at := at.(type) {
	case *object:
		return e.put(at, p[len(p)-1], v, p.String(), len(p))
	case *array:
		return e.insert(at, p, v)
	}
	return missing(p)
}

// put sets a member.
func (e *edit) put(o *object, name string, v any, path string, depth int) *Error {
	if err := e.touch(path); err != nil {
		return err
	}
	return e.set(o, name, v, depth)
}

// set sets a member without noting a path.
func (e *edit) set(o *object, name string, v any, depth int) *Error {
	old, there := o.members[name]
	extra := 0
	switch {
	case there:
		e.shrink(old, 0)
	default:
		extra = keyLen(name) + min(1, len(o.members))
		name = strings.Clone(name) // so that the document does not keep the whole path in memory
	}
	if o.members == nil {
		o.members = make(map[string]any)
	}
	o.members[name] = v
	return e.grow(v, depth, extra)
}

// drop deletes an existing member.
func (e *edit) drop(o *object, name string) {
	e.shrink(o.members[name], keyLen(name)+min(1, len(o.members)-1))
	delete(o.members, name)
}

// insert inserts an element into an array. An appended element touches only its own place.
// Any other one moves the elements behind it, and touches the array.
func (e *edit) insert(a *array, p pointer, v any) *Error {
	last, path := p[len(p)-1], p[:len(p)-1].String()
	i, ok := len(a.items), true
	if last == "-" {
		if err := e.append(path, i); err != nil {
			return err
		}
	} else if i, ok = parseIndex(last, i); !ok {
		return missing(p)
	} else if err := e.touch(path); err != nil {
		return err
	}
	extra := min(1, len(a.items))
	a.items = slices.Insert(a.items, i, v)
	return e.grow(v, len(p), extra)
}

// append notes that an element is appended to a list, at the index i.
func (e *edit) append(list string, i int) *Error {
	if err := e.note(child(list, strconv.Itoa(i))); err != nil {
		return err
	}
	if _, again := e.appended[list]; !again {
		if e.appended == nil {
			e.appended = make(map[string]int)
		}
		e.appended[list] = i
	}
	return nil
}

func (e *edit) remove(p pointer) (any, *Error) {
	v, err := e.get(p)
	if err != nil {
		return nil, err
	}
	if len(p) == 0 {
		return nil, failf(Invalid, "the whole document can not be removed; replace it")
	}
	at, err := e.parent(p)
	if err != nil {
		return nil, err
	}
	last := p[len(p)-1]
	if o, ok := at.(*object); ok {
		e.drop(o, last)
		return v, e.touch(p.String())
	}
	a := at.(*array)
	i := indexOf(last)
	e.shrink(v, min(1, len(a.items)-1))
	a.items = slices.Delete(a.items, i, i+1)
	return v, e.touch(p[:len(p)-1].String())
}

func (e *edit) replace(p pointer, v any) *Error {
	old, err := e.get(p)
	if err != nil {
		return err
	}
	if err = e.touch(p.String()); err != nil {
		return err
	}
	e.shrink(old, 0)
	if len(p) == 0 {
		e.root = v
		return e.grow(v, 0, 0)
	}
	at, err := e.parent(p)
	if err != nil {
		return err
	}
	switch at := at.(type) {
	case *object:
		at.members[p[len(p)-1]] = v
	case *array:
		at.items[indexOf(p[len(p)-1])] = v
	}
	return e.grow(v, len(p), 0)
}

// test touches nothing: it compares with the document as it is now.
func (e *edit) test(p pointer, want any) *Error {
	v, err := e.get(p)
	switch {
	case err != nil:
		return failf(Failed, "%s", err.Text)
	case !equal(v, want):
		return failf(Failed, "the value at the path %s is another one", quote(p.String()))
	}
	return nil
}

func (e *edit) move(from, to pointer) *Error {
	if len(from) < len(to) && slices.Equal(from, to[:len(from)]) {
		return failf(Invalid, "a value can not be moved into itself")
	}
	if slices.Equal(from, to) {
		_, err := e.get(from)
		return err
	}
	v, err := e.remove(from)
	if err != nil {
		return err
	}
	return e.add(to, v)
}

func (e *edit) copy(from, to pointer) *Error {
	v, err := e.get(from)
	if err != nil {
		return err
	}
	// The value has two places from now on, and must not be changed in place.
	e.owner = new(token)
	return e.add(to, v)
}

// merge applies a merge patch to a value and returns the new value, which is always an
// object. A caller that puts the object at a new place adds the cost of that place.
func (e *edit) merge(target any, patch *object, path string, depth int) (any, *Error) {
	before := len(e.touched)
	o, ok := editable(target, e.owner).(*object)
	if !ok {
		o = &object{owner: e.owner}
		e.shrink(target, 0)
		if err := e.grow(o, depth, 0); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(patch.members)) {
		if err := e.mergeMember(o, name, patch.members[name], child(path, name), depth+1); err != nil {
			return nil, err
		}
	}
	if !ok && len(e.touched) == before {
		return o, e.touch(path)
	}
	return o, nil
}

func (e *edit) mergeMember(o *object, name string, v any, path string, depth int) *Error {
	old, there := o.members[name]
	inner, nested := v.(*object)
	switch {
	case v == nil && there:
		e.drop(o, name)
		return e.touch(path)
	case v == nil:
		return e.touch(path)
	case !nested:
		return e.put(o, name, v, path, depth)
	case there:
		merged, err := e.merge(old, inner, path, depth)
		if err == nil {
			o.members[name] = merged
		}
		return err
	}
	// Sets null to merge into, without touching.
	if o.members == nil {
		o.members = make(map[string]any)
	}
	if err := e.grow(nil, depth, keyLen(name)+min(1, len(o.members))); err != nil {
		return err
	}
	o.members[name] = nil
	merged, err := e.merge(nil, inner, path, depth)
	if err == nil {
		o.members[name] = merged
	}
	return err
}
