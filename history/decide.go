package history

import "strconv"

// Outcome says whether a log can continue for a reader that stopped at a position.
type Outcome uint8

const (
	// AllThere: the log has all entries after the position, and they are within the
	// limit. There may be none.
	AllThere Outcome = iota
	// More: the log has all entries after the position, but they exceed the limit.
	More
	// Trimmed: the entry after the position was dropped or has expired.
	Trimmed
	// OtherEpoch: the position has another epoch.
	OtherEpoch
	// AheadOfTop: the log has not reached the position, so it was rolled back.
	AheadOfTop
	// AnchorDiffers: the log has another entry at the position, so it was rolled back and
	// continued with other entries.
	AnchorDiffers
)

var outcomeNames = [...]string{"all there", "more", "trimmed", "other epoch", "ahead of top", "anchor differs"}

// String returns a name of the outcome for logs and tests.
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return "outcome " + strconv.Itoa(int(o))
}

// Lost reports that the log cannot continue for the reader: entries may be missing before
// those that it returns.
func (o Outcome) Lost() bool { return o > More }

// Extent is the range of entries that a log has.
type Extent struct {
	// Top is the position of the newest entry, even if that is no longer kept.
	Top Position
	// First is the offset of the oldest entry that is kept; Top.Offset+1 if none is.
	First uint64
}

// Decide returns the outcome for a reader that has all entries up to since. anchor is the
// anchor of the log's entry at since.Offset, or 0 if it is not known. An anchor of 0 on
// either side is not compared. limit is how many entries the reader takes.
//
// If no entry follows since, the outcome is AllThere even if the entry at since was
// dropped long ago: the reader missed nothing.
func (e Extent) Decide(since Position, anchor uint32, limit int) Outcome {
	switch {
	case since.Epoch != e.Top.Epoch:
		return OtherEpoch
	case since.Offset > e.Top.Offset:
		return AheadOfTop
	case since.Anchor != 0 && anchor != 0 && since.Anchor != anchor:
		return AnchorDiffers
	case since.Offset+1 < e.First:
		return Trimmed
	case e.Top.Offset-since.Offset > uint64(max(limit, 0)):
		return More
	}
	return AllThere
}
