package phases

// Truth is the value of a flag or a guard: no, yes, or unknown.
type Truth uint8

// The three values. The zero value is No.
const (
	False Truth = iota
	True
	Unknown
)

// String returns "no", "yes" or "unknown".
func (t Truth) String() string {
	switch t {
	case False:
		return "no"
	case True:
		return "yes"
	}
	return "unknown"
}

// MarshalText writes a truth as its String, so that JSON and YAML show it.
func (t Truth) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// TruthOf turns a known value into a Truth.
func TruthOf(b bool) Truth {
	if b {
		return True
	}
	return False
}

// Facts is what is known of the flags now: each is true, false or unknown.
// It is a small value, to be copied and compared with ==; its zero value knows
// nothing. Bit positions mean something only together with the vocabulary;
// what is written down is a [Record].
type Facts struct {
	yes, no Flags
}

// NewFacts returns facts in which the flags of yes are true, those of no are
// false, and all others, as well as those named in both, are unknown.
func NewFacts(yes, no Flags) Facts {
	return Facts{yes: yes &^ no, no: no &^ yes}
}

// True is the set of flags that are known to be true.
func (f Facts) True() Flags { return f.yes }

// False is the set of flags that are known to be false.
func (f Facts) False() Flags { return f.no }

// Known is the set of flags that are known.
func (f Facts) Known() Flags { return f.yes | f.no }

// Of returns the value of a single flag.
func (f Facts) Of(flag Flags) Truth {
	switch {
	case f.yes.Has(flag):
		return True
	case f.no.Has(flag):
		return False
	}
	return Unknown
}

// Set returns facts in which all the given flags have the given value, and
// the others are as they were.
func (f Facts) Set(flags Flags, t Truth) Facts {
	f = f.Forget(flags)
	switch t {
	case True:
		f.yes |= flags
	case False:
		f.no |= flags
	}
	return f
}

// Forget returns facts in which the given flags are unknown.
func (f Facts) Forget(flags Flags) Facts {
	return Facts{yes: f.yes &^ flags, no: f.no &^ flags}
}

// Record is how facts are written down beside the state of a run: by
// name, in sorted lists, with the hash of the itinerary's definition
// ([Itinerary.Hash]) under which they were found. It survives a release that
// adds flags, drops flags or changes their order.
type Record struct {
	Hash    string   `json:"hash,omitempty"`
	True    []string `json:"true,omitempty"`
	False   []string `json:"false,omitempty"`
	Unknown []string `json:"unknown,omitempty"`
}

// DeepCopyInto copies the record into out; the two share nothing.
func (r *Record) DeepCopyInto(out *Record) {
	all := make([]string, 0, len(r.True)+len(r.False)+len(r.Unknown)) // in one piece
	copied := func(names []string) []string {
		if names == nil {
			return nil
		}
		from := len(all)
		all = append(all, names...)
		return all[from:len(all):len(all)]
	}
	*out = Record{Hash: r.Hash, True: copied(r.True), False: copied(r.False), Unknown: copied(r.Unknown)}
}

// DeepCopy copies the record; the copy shares nothing with it. It is nil if the
// record is.
func (r *Record) DeepCopy() *Record {
	if r == nil {
		return nil
	}
	out := new(Record)
	r.DeepCopyInto(out)
	return out
}

// Record writes facts down by name. The hash is that of the itinerary's
// definition.
func (v *Vocabulary) Record(f Facts, hash string) Record {
	all := make([]string, 0, len(v.sorted)) // in one piece
	sorted := func(set Flags) []string {
		from := len(all)
		for _, d := range v.sorted {
			if set.Has(d.Flag) {
				all = append(all, d.Name)
			}
		}
		if len(all) == from {
			return nil // as it is read back from JSON
		}
		return all[from:len(all):len(all)]
	}
	return Record{
		Hash:    hash,
		True:    sorted(f.yes),
		False:   sorted(f.no),
		Unknown: sorted(v.All() &^ f.Known()),
	}
}

// Facts reads a record back. Flags that the vocabulary no longer has are
// ignored; flags that the record does not name are unknown, and so is a flag
// that it names as both true and false: whoever asks will find its value.
func (v *Vocabulary) Facts(r Record) Facts {
	return NewFacts(v.set(r.True), v.set(r.False)).Forget(v.set(r.Unknown))
}

// set returns the flags of these names. If they are sorted, as [Vocabulary.Record]
// writes them, it finds all of them on one way through the names that it has.
func (v *Vocabulary) set(names []string) (f Flags) {
	next := v.sorted
	for _, name := range names {
		k := 0
		for k < len(next) && next[k].Name != name {
			k++
		}
		if k == len(next) { // in another order, or gone
			f |= v.byName[name]
			continue
		}
		f |= next[k].Flag
		next = next[k+1:]
	}
	return f
}
