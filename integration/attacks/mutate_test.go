package attacks

import (
	"math/rand/v2"
	"slices"
	"sync"
)

// noise makes input that nobody meant. The same seed makes the same input.
type noise struct {
	*rand.Rand
	pools *[2][]byte
}

// alphabet has what decoders look for, so that random input gets further than its
// first byte.
const alphabet = `{}[]":,\ntrufalse0123456789.-+eE u00d8~*?{user}{claim.x}` + "\x00\n\xff\xc3\xa9"

// poolSize is how many random bytes there are to choose from. To make each anew
// would take longer than to decode it.
const poolSize = 1 << 20

func newNoise(seed uint64) noise {
	return noise{Rand: rand.New(rand.NewPCG(seed, 1)), pools: pools()}
}

// pools makes the pools once for all. What is taken of them, and in which order, is the
// seed's.
var pools = sync.OnceValue(func() *[2][]byte {
	random := rand.New(rand.NewPCG(0, 1))
	p := [2][]byte{make([]byte, poolSize), make([]byte, poolSize)}
	for i := range poolSize {
		b := byte(random.Uint32())
		p[0][i], p[1][i] = b, alphabet[int(b)%len(alphabet)]
	}
	return &p
})

// bytes gives less than most random bytes, every other time of the alphabet.
func (n noise) bytes(most int) []byte {
	at := n.IntN(poolSize - most)
	return slices.Clone(n.pools[n.IntN(2)][at : at+n.IntN(most)])
}

// mutate changes one of the seeds in a few places.
func (n noise) mutate(seeds []string) []byte {
	b := []byte(seeds[n.IntN(len(seeds))])
	for range 1 + n.IntN(4) {
		b = n.change(b, seeds)
	}
	return b
}

func (n noise) change(b []byte, seeds []string) []byte {
	at := n.IntN(len(b) + 1)
	end := min(len(b), at+n.IntN(8))
	switch n.IntN(6) {
	case 0: // flip a bit
		if at < len(b) {
			b[at] ^= 1 << n.IntN(8)
		}
	case 1: // remove
		b = slices.Delete(b, at, end)
	case 2: // insert
		b = slices.Insert(b, at, n.bytes(8)...)
	case 3: // repeat
		b = slices.Insert(b, at, slices.Repeat(slices.Clone(b[at:end]), 1+n.IntN(20))...)
	case 4: // cut off
		b = b[:at]
	default: // go on with another seed
		other := seeds[n.IntN(len(seeds))]
		b = append(b[:at], other[n.IntN(len(other)+1):]...)
	}
	return b
}
