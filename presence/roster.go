package presence

import (
	"iter"
	"slices"
	"sort"
	"strings"
)

// chunkSize is the length at which a chunk of a roster is split.
const chunkSize = 256

// Roster is a set of members in the order of their keys. It is a list of sorted chunks,
// which needs less memory than a map. A page from any key on is one search and a copy. It
// is not safe for concurrent use. The zero Roster is empty.
type Roster struct {
	chunks [][]*Member // none is empty
	n      int
}

// Len returns the number of members.
func (r *Roster) Len() int { return r.n }

// find returns the place of a key, or the place at which it would be inserted.
func (r *Roster) find(key string) (chunk, i int, ok bool) {
	// The last chunk whose first key is not after the key.
	chunk = sort.Search(len(r.chunks), func(i int) bool { return r.chunks[i][0].Key > key }) - 1
	if chunk < 0 {
		return 0, 0, false
	}
	i, ok = slices.BinarySearchFunc(r.chunks[chunk], key, func(m *Member, key string) int {
		return strings.Compare(m.Key, key)
	})
	return chunk, i, ok
}

// Get returns the member with a key, or nil.
func (r *Roster) Get(key string) *Member {
	if c, i, ok := r.find(key); ok {
		return r.chunks[c][i]
	}
	return nil
}

// Put adds m or replaces the member with its key.
func (r *Roster) Put(m *Member) {
	c, i, ok := r.find(m.Key)
	switch {
	case ok:
		r.chunks[c][i] = m
		return
	case len(r.chunks) == 0:
		r.chunks = append(r.chunks, []*Member{m})
	default:
		r.chunks[c] = slices.Insert(r.chunks[c], i, m)
		r.split(c)
	}
	r.n++
}

func (r *Roster) split(c int) {
	chunk := r.chunks[c]
	if len(chunk) < chunkSize {
		return
	}
	behind := append(make([]*Member, 0, chunkSize), chunk[chunkSize/2:]...)
	clear(chunk[chunkSize/2:])
	r.chunks[c] = chunk[:chunkSize/2]
	r.chunks = slices.Insert(r.chunks, c+1, behind)
}

// Delete removes the member with a key, if there is one.
func (r *Roster) Delete(key string) {
	c, i, ok := r.find(key)
	if !ok {
		return
	}
	r.n--
	r.chunks[c] = slices.Delete(r.chunks[c], i, i+1)
	if len(r.chunks[c]) == 0 {
		r.chunks = slices.Delete(r.chunks, c, c+1)
	}
}

// Page returns at most limit members after a key.
func (r *Roster) Page(after string, limit int) []*Member {
	var page []*Member
	for m := range r.behind(after) {
		if len(page) >= limit {
			break
		}
		if page == nil {
			page = make([]*Member, 0, min(limit, r.n))
		}
		page = append(page, m)
	}
	return page
}

// All ranges over the members. The roster must not change meanwhile.
func (r *Roster) All() iter.Seq[*Member] { return r.behind("") }

func (r *Roster) behind(key string) iter.Seq[*Member] {
	return func(yield func(*Member) bool) {
		c, i, ok := r.find(key)
		if ok {
			i++
		}
		for ; c < len(r.chunks); c, i = c+1, 0 {
			for _, m := range r.chunks[c][i:] {
				if !yield(m) {
					return
				}
			}
		}
	}
}
