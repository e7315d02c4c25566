package history

import "strconv"

// Outcome is what a log has to say to a reader that wants to go on from a
// position.
type Outcome uint8

const (
	// AllThere: the log holds everything after the position and the limit lets it
	// pass. Nothing may be missing at all.
	AllThere Outcome = iota
	// More: the log holds everything after the position, but the limit cuts it.
	More
	// Trimmed: the entry after the position was dropped or has expired.
	Trimmed
	// OtherEpoch: the position is of another incarnation of the log.
	OtherEpoch
	// AheadOfTop: the log has not come that far, so it went back in time.
	AheadOfTop
	// AnchorDiffers: another entry stands at the position, so the log went back in
	// time and was written anew.
	AnchorDiffers
)

var outcomeNames = [...]string{"all there", "more", "trimmed", "other epoch", "ahead of top", "anchor differs"}

// String names the outcome for logs and tests.
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return "outcome " + strconv.Itoa(int(o))
}

// Lost reports that the log cannot continue the reader's sequence: whatever it
// returns, something may be missing before it.
func (o Outcome) Lost() bool { return o > More }

// Extent is how far a log reaches.
type Extent struct {
	// Top is the position of the newest entry, whether it is still kept or not.
	Top Position
	// First is the offset of the oldest entry that is kept; Top.Offset+1 when
	// none is.
	First uint64
}

// Decide answers a reader that has everything up to since. Anchor is that of the
// log's own entry at since.Offset, as far as it is known: an anchor of 0 on either
// side is not compared. Limit is how many entries the reader takes.
//
// A position with nothing behind it is AllThere even when its own entry is gone
// since long: that reader missed nothing.
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
