package phases

// Truth is the value of a flag or a guard: false, true, or unknown.
type Truth uint8

// The three values. The zero value is False.
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

// MarshalText returns the String of a truth, for JSON and YAML.
func (t Truth) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// TruthOf returns a known value as a Truth.
func TruthOf(b bool) Truth {
	if b {
		return True
	}
	return False
}

// Facts are the known values of the flags: each is true, false or unknown. Facts is a
// small value, to be copied and compared with ==; its zero value knows nothing. Bit
// positions mean something only together with the vocabulary; the stored form is a
// [Record].
type Facts struct {
	yes, no Flags
}

// NewFacts returns facts in which the flags of yes are true and those of no are false.
// Flags named in both or in neither are unknown.
func NewFacts(yes, no Flags) Facts {
	return Facts{yes: yes &^ no, no: no &^ yes}
}

// True returns the flags that are known to be true.
func (f Facts) True() Flags { return f.yes }

// False returns the flags that are known to be false.
func (f Facts) False() Flags { return f.no }

// Known returns the flags that are known.
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

// Set returns facts in which all the given flags have the given value, and the others
// are unchanged.
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

// Record is the stored form of facts, beside the state of a run: sorted lists of names,
// with the hash of the itinerary's definition ([Itinerary.Hash]) under which they were
// found. It survives a release that adds flags, drops flags or changes their order.
type Record struct {
	Hash    string   `json:"hash,omitempty"`
	True    []string `json:"true,omitempty"`
	False   []string `json:"false,omitempty"`
	Unknown []string `json:"unknown,omitempty"`
}

// DeepCopyInto copies the record into out; the two share nothing.
func (r *Record) DeepCopyInto(out *Record) {
	all := make([]string, 0, len(r.True)+len(r.False)+len(r.Unknown)) // one allocation for all lists
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

// DeepCopy returns a copy of the record, which shares nothing with it. It is nil if the
// record is.
func (r *Record) DeepCopy() *Record {
	if r == nil {
		return nil
	}
	out := new(Record)
	r.DeepCopyInto(out)
	return out
}

// Record returns facts by name. The hash is that of the itinerary's definition.
func (v *Vocabulary) Record(f Facts, hash string) Record {
	all := make([]string, 0, len(v.sorted)) // one allocation for all lists
	sorted := func(set Flags) []string {
		from := len(all)
		for _, d := range v.sorted {
			if set.Has(d.Flag) {
				all = append(all, d.Name)
			}
		}
		if len(all) == from {
			return nil // the same as after a round trip through JSON
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

// Facts returns the facts of a record. It ignores flags that the vocabulary no longer
// has. A flag that the record does not name is unknown, and so is one that it names as
// both true and false: the next evaluation finds its value.
func (v *Vocabulary) Facts(r Record) Facts {
	return NewFacts(v.set(r.True), v.set(r.False)).Forget(v.set(r.Unknown))
}

// set returns the flags of these names. If the names are sorted, as [Vocabulary.Record]
// writes them, one pass over the vocabulary finds all of them.
func (v *Vocabulary) set(names []string) (f Flags) {
	next := v.sorted
	for _, name := range names {
		k := 0
		for k < len(next) && next[k].Name != name {
			k++
		}
		if k == len(next) { // not sorted, or gone
			f |= v.byName[name]
			continue
		}
		f |= next[k].Flag
		next = next[k+1:]
	}
	return f
}
