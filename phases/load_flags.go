package phases

import (
	"errors"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// vocabulary reads the flags and the relations.
func (l *loader) vocabulary(top *fields) *Vocabulary {
	var defs []FlagDef
	var nodes []*yaml.Node
	var rows []int
	over := false
	for row, n := range l.items(top.byKey["flags"], "flags") {
		fs := l.mapping(n, "a flag", "name", "description", "live")
		if fs == nil {
			continue
		}
		def := FlagDef{Name: l.string(fs, "name"), Description: l.string(fs, "description"), Live: l.bool(fs, "live")}
		switch {
		case fs.spoiled && def.Name == "":
		case len(defs) == MaxFlags:
			if !over {
				limit := &LimitError{What: "flags", Limit: MaxFlags}
				l.add(n.Line, n.Column, limit, "is one flag too many: %v", limit)
			}
			over = true
			l.refused[def.Name] = true
		default:
			defs, nodes, rows = append(defs, def), append(nodes, n), append(rows, row)
		}
	}
	// NewVocabulary describes the first bad row. That row is removed and the others are
	// retried.
	for {
		for i := range defs {
			defs[i].Flag = 1 << i
		}
		v, err := NewVocabulary(defs)
		var bad *VocabularyError
		if !errors.As(err, &bad) {
			return l.relations(top, v)
		}
		i := bad.Row
		bad.Row = rows[i]
		todo := "rename it"
		if bad.Name == "" {
			todo = "give it one"
		}
		l.add(nodes[i].Line, nodes[i].Column, bad, "flag %q %s; %s", bad.Name, bad.Problem, todo)
		l.refused[bad.Name] = true
		defs, nodes, rows = slices.Delete(defs, i, i+1), slices.Delete(nodes, i, i+1), slices.Delete(rows, i, i+1)
	}
}

// relations adds the relations to a vocabulary.
func (l *loader) relations(top *fields, v *Vocabulary) *Vocabulary {
	var clauses []Clause
	for _, n := range l.items(top.byKey["relations"], "relations") {
		if !l.usable(n, "a relation") {
			continue
		}
		items := l.items(n, "a relation")
		if n.Kind == yaml.SequenceNode && len(items) == 0 {
			l.at(n, "a relation without flags can never hold; list at least one flag")
		}
		var c Clause
		for _, item := range items {
			literal, ok := l.text(item, "an entry of a relation")
			if !ok {
				continue
			}
			name, negated := strings.CutPrefix(literal, "!")
			set := &c.True
			if negated {
				set = &c.False
			}
			l.flag(item, "a relation", name, v, set)
		}
		if c != (Clause{}) {
			clauses = append(clauses, c)
		}
	}
	if len(clauses) == 0 {
		return v
	}
	// The rows and the clauses have been checked, so this cannot panic.
	return MustVocabulary(v.Defs(), clauses...)
}

// flag adds the flag of that name to a set.
func (l *loader) flag(n *yaml.Node, what, name string, v *Vocabulary, set *Flags) {
	flag, ok := v.Lookup(name)
	switch {
	case ok && *set&flag != 0:
		l.at(n, "flag %q is listed twice in %s; remove one", name, what)
	case ok:
		*set |= flag
	case !l.refused[name]:
		unknown := &UnknownFlagError{Name: name, Nearest: l.suggest(name, v.Names(v.All()))}
		todo := ""
		switch {
		case strings.HasPrefix(name, "!"):
			unknown.Nearest = nil
			todo = `; only relations negate with "!", a guard lists the flag under none`
		case len(unknown.Nearest) == 0:
			todo = "; declare it under flags"
		}
		l.add(n.Line, n.Column, unknown, "%v%s", unknown, todo)
	}
}

// flags reads a list of flags.
func (l *loader) flags(fs *fields, key string, v *Vocabulary) (set Flags) {
	for _, item := range l.items(fs.byKey[key], key) {
		if name, ok := l.text(item, "an entry of "+key); ok {
			l.flag(item, key, name, v, &set)
		}
	}
	return set
}

// guard reads the keys of a guard.
func (l *loader) guard(fs *fields, v *Vocabulary) Guard {
	return Guard{All: l.flags(fs, PartAll, v), Any: l.flags(fs, PartAny, v), None: l.flags(fs, PartNone, v)}
}
