package verify

import (
	"bytes"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/konveyor/dynamic-pipeline/internal/bdd"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// FixError reports that the layout of a file does not allow an entry to be removed
// without changing the rest. Nothing was fixed; remove by hand what the finding names.
type FixError struct {
	File    string
	Line    int
	Problem string
}

func (e *FixError) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Problem) }

// Fix removes from the text of the file what findings of [GuardRedundantFlag] and
// [FlagNeverRead] name, if that is safe: a flag of a guard, or a flag of the
// vocabulary. A flag of the vocabulary is removed together with its entries in decides
// and the relations that name it, unless that would change how the other flags are
// related. The findings are those that [Check] returned for this source; findings of
// other rules and suppressed ones are ignored.
//
// It returns the new text and the findings that were fixed. The rest of the text is
// unchanged, comments and layout included. The new text loads and compiles, and the
// same phases run for every assignment that the relations allow. The error is a
// [*FixError], or the error of [phases.Load].
func (s *Source) Fix(findings []Finding) (text []byte, fixed []Finding, err error) {
	without := map[string]bool{} // itineraries that do not compile without a flag
	for {
		f := &fixer{Source: s, fixed: map[Place]bool{}, removed: map[*yaml.Node]map[int]bool{}}
		f.flags(findings)
		f.guards(findings, without)
		if len(f.fixed) == 0 {
			return s.text, nil, nil
		}
		if text, err = f.edit(); err != nil {
			return nil, nil, err
		}
		file, err := phases.Load(bytes.NewReader(text), s.name)
		if err != nil {
			return nil, nil, err
		}
		refused := false
		for _, it := range file.Itineraries {
			if _, err := machine.Compile(it); err != nil && !without[it.Name] {
				without[it.Name], refused = true, true
			}
		}
		if !refused {
			return text, f.inOrder(findings), nil
		}
	}
}

// fixer is the state of one Fix.
type fixer struct {
	*Source
	fixed map[Place]bool // of the findings that are fixed
	// removed are the indices of removed entries, by list or mapping. A mapping counts
	// pairs.
	removed map[*yaml.Node]map[int]bool
}

// fixable reports whether a finding is one of the rule and not suppressed.
func fixable(f Finding, rule string) bool { return f.Rule == rule && f.Suppressed == "" }

// inOrder returns the findings that are fixed, in their original order.
func (f *fixer) inOrder(findings []Finding) (fixed []Finding) {
	for _, one := range findings {
		if (fixable(one, GuardRedundantFlag) || fixable(one, FlagNeverRead)) && f.fixed[one.Place] {
			fixed = append(fixed, one)
		}
	}
	return fixed
}

// remove removes an entry of the list under a key, and the key if no entry remains.
func (f *fixer) remove(holder *yaml.Node, key string, i int) {
	list := value(holder, key)
	f.drop(list, i)
	if len(f.removed[list]) == len(list.Content) {
		f.drop(holder, keyIndex(holder, key)/2)
	}
}

func (f *fixer) drop(n *yaml.Node, i int) {
	if f.removed[n] == nil {
		f.removed[n] = map[int]bool{}
	}
	f.removed[n][i] = true
}

// flags removes the flags of the vocabulary that no guard reads.
func (f *fixer) flags(findings []Finding) {
	v := f.file.Vocabulary
	var unread, reads phases.Flags
	for _, it := range f.file.Itineraries {
		reads |= it.Reads()
	}
	byName := map[string]Finding{}
	for _, one := range findings {
		if flag, ok := v.Lookup(one.Flag); ok && fixable(one, FlagNeverRead) && reads&flag == 0 {
			unread |= flag
			byName[one.Flag] = one
		}
	}
	unread = f.removable(unread)
	for i, d := range v.Defs() {
		if unread&d.Flag != 0 {
			f.remove(f.root, "flags", i)
			f.fixed[byName[d.Name].Place] = true
		}
	}
	for i, c := range v.Relations() {
		if (c.True|c.False)&unread != 0 {
			f.remove(f.root, "relations", i)
		}
	}
	if unread == 0 {
		return
	}
	for _, itinerary := range f.phases {
		for _, phase := range itinerary {
			for i, n := range items(value(phase, "decides")) {
				if flag, _ := v.Lookup(n.Value); flag&unread != 0 {
					f.remove(phase, "decides", i)
				}
			}
		}
	}
}

// removable returns the flags that can be removed together with the relations that name
// them, without changing how the other flags are related.
func (f *fixer) removable(unread phases.Flags) (all phases.Flags) {
	v := f.file.Vocabulary
	named := phases.Flags(0)
	for _, c := range v.Relations() {
		named |= c.True | c.False
	}
	all = unread &^ named
	s := newSpace(v, nil, 0)
	same := func(flags phases.Flags) bool {
		rest, others := bdd.All, s.relations
		for _, c := range v.Relations() {
			if (c.True|c.False)&flags == 0 {
				rest = s.And(rest, s.clause(c))
			}
		}
		for flag := range flags.Each {
			others = s.Exists(others, s.variable[bit(flag)])
		}
		return rest == others && s.Err() == nil
	}
	for flag := range (unread & named).Each {
		if same(all | flag) {
			all |= flag
		}
	}
	return all
}

// slot is an entry of one of the lists of a guard.
type slot struct {
	holder *yaml.Node
	part   string
	index  int
	// finding is the finding about the entry.
	finding Finding
}

func (s slot) node() *yaml.Node { return value(s.holder, s.part).Content[s.index] }

// guards removes the flags of guards that make no difference.
func (f *fixer) guards(findings []Finding, without map[string]bool) {
	slots := map[[2]int]slot{}
	add := func(holder *yaml.Node) {
		for _, part := range []string{phases.PartAll, phases.PartAny, phases.PartNone} {
			for i, n := range items(value(holder, part)) {
				slots[[2]int{n.Line, n.Column}] = slot{holder: holder, part: part, index: i}
			}
		}
	}
	for _, itinerary := range f.phases {
		for _, phase := range itinerary {
			add(phase)
			for _, key := range []string{"steps", "jumps"} {
				for _, holder := range items(value(phase, key)) {
					add(holder)
				}
			}
		}
	}
	found := map[*yaml.Node][]slot{}
	for _, one := range findings {
		at, ok := slots[[2]int{one.Place.Line, one.Place.Column}]
		if ok && fixable(one, GuardRedundantFlag) && one.Place.File == f.name && !without[one.Itinerary] && at.node().Value == one.Flag {
			at.finding = one
			found[at.holder] = append(found[at.holder], at)
		}
	}
	s := newSpace(f.file.Vocabulary, nil, 0)
	for _, all := range found {
		before, after := f.guard(all[0].holder, nil), f.guard(all[0].holder, all)
		if s.And(s.guard(before), s.relations) != s.And(s.guard(after), s.relations) || s.Err() != nil {
			continue // not all flags that must be removed together were found
		}
		for _, at := range all {
			f.remove(at.holder, at.part, at.index)
			f.fixed[at.finding.Place] = true
		}
	}
}

// guard returns the guard that a mapping holds, except some of its entries.
func (f *fixer) guard(holder *yaml.Node, without []slot) (g phases.Guard) {
	for part, flags := range map[string]*phases.Flags{phases.PartAll: &g.All, phases.PartAny: &g.Any, phases.PartNone: &g.None} {
		for i, n := range items(value(holder, part)) {
			if !slices.ContainsFunc(without, func(s slot) bool { return s.part == part && s.index == i }) {
				flag, _ := f.file.Vocabulary.Lookup(n.Value)
				*flags |= flag
			}
		}
	}
	return g
}

// edit returns the text without the removed entries, after checking that its other
// content is as before.
func (f *fixer) edit() ([]byte, error) {
	e := newEditor(f.Source)
	if err := e.cut(f.root, f.removed); err != nil {
		return nil, err
	}
	text := e.text()
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil || len(document.Content) == 0 || !f.same(f.root, document.Content[0]) {
		return nil, &FixError{f.name, f.root.Line,
			"the layout of the file does not allow a safe change; remove by hand what the findings name"}
	}
	return text, nil
}

// same reports whether a node equals an earlier one without its removed entries.
func (f *fixer) same(before, after *yaml.Node) bool {
	size := 1
	if before.Kind == yaml.MappingNode {
		size = 2
	}
	var kept []*yaml.Node
	for i, n := range before.Content {
		if !f.removed[before][i/size] {
			kept = append(kept, n)
		}
	}
	if before.Kind != after.Kind || before.ShortTag() != after.ShortTag() || before.Value != after.Value ||
		len(kept) != len(after.Content) {
		return false
	}
	for i, n := range kept {
		if !f.same(n, after.Content[i]) {
			return false
		}
	}
	return true
}
