package history

import (
	"crypto/rand"
	"crypto/sha256"
)

// Position is a place in a log. It has the fields of hub.Position, so that one converts to
// the other: the packages of the core do not import each other.
type Position struct {
	// Epoch identifies one life of the log.
	Epoch string
	// Offset counts the entries of the epoch from 1; 0 is before the first.
	Offset uint64
	// Anchor is a short hash of the entry at Offset; 0 means unknown.
	Anchor uint32
}

const (
	epochLength   = 8
	epochAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
)

// NewEpoch returns a random epoch for a new log: 8 characters of a-z and 0-9, about 41 bits.
// It only has to differ between the logs of one room.
func NewEpoch() string {
	// The largest multiple of 36 below 256. Larger bytes would make the first letters of
	// the alphabet likelier.
	const fair = 256 - 256%len(epochAlphabet)
	var buf [2 * epochLength]byte
	name := make([]byte, 0, epochLength)
	for {
		rand.Read(buf[:]) // never fails, by its contract
		for _, b := range buf {
			if int(b) >= fair {
				continue
			}
			if name = append(name, epochAlphabet[int(b)%len(epochAlphabet)]); len(name) == epochLength {
				return string(name)
			}
		}
	}
}

// EpochOf returns the epoch of a log that has no entry yet. The same name, secret and
// generation have the same epoch, so that nothing need be kept of such a log. A caller that
// drops a log with entries changes the generation.
func EpochOf(name, secret string, generation uint64) string {
	h := sha256.New()
	var number [8]byte
	for i := range number {
		number[i] = byte(generation >> (8 * i))
	}
	h.Write(number[:])
	h.Write([]byte(secret))
	h.Write([]byte{0})
	h.Write([]byte(name))
	var sum [sha256.Size]byte
	h.Sum(sum[:0])
	epoch := make([]byte, epochLength)
	for i := range epoch {
		// Two bytes for each letter make all letters about equally likely.
		epoch[i] = epochAlphabet[(int(sum[2*i])<<8|int(sum[2*i+1]))%len(epochAlphabet)]
	}
	return string(epoch)
}
