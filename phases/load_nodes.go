package phases

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
)

// fields are the values of a mapping by key. spoiled reports that some could not be
// read, which has been recorded.
type fields struct {
	byKey   map[string]*yaml.Node
	spoiled bool
}

// usable reports whether a node can be a value. An anchor, an alias, a tag and null are
// recorded as problems.
func (l *loader) usable(n *yaml.Node, what string) bool {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		l.at(n, "%s has an anchor or an alias, which are not supported; write the value out", what)
	case n.Style&yaml.TaggedStyle != 0:
		l.at(n, "%s has the YAML tag %q; to negate a flag, write \"!FLAG\" in quotes; otherwise remove the tag", what, n.Tag)
	case n.ShortTag() == "!!null":
		l.at(n, "%s has no value; give it one, or remove it", what)
	default:
		return true
	}
	return false
}

// mapping returns the values of a mapping that has only these keys, or nil if
// the node is something else.
func (l *loader) mapping(n *yaml.Node, what string, keys ...string) *fields {
	if !l.usable(n, what) {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		l.at(n, "%s must be a mapping with the keys %s, not %s", what, wording.List(keys, "and"), describe(n))
		return nil
	}
	fs := &fields{byKey: make(map[string]*yaml.Node, len(keys))}
	before := l.found
	lines := make(map[string]int, len(keys))
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.ShortTag() == "!!merge" {
			l.at(key, "merge keys are not supported; write the keys out")
			continue
		}
		found := l.found
		name, _ := l.text(key, "a key of "+what)
		switch first := lines[name]; {
		case l.found > found:
		case first > 0:
			l.at(key, "duplicate key %q, first in line %d; remove one", name, first)
		case !slices.Contains(keys, name):
			known := wording.DidYouMean(l.suggest(name, keys))
			if known == "" {
				known = "; the keys are " + wording.List(keys, "and")
			}
			l.at(key, "%s has no key %q%s", what, name, known)
		case l.usable(value, name):
			fs.byKey[name] = value
		}
		lines[name] = cmp.Or(lines[name], key.Line)
	}
	fs.spoiled = l.found > before
	return fs
}

// suggest returns the known names nearest to a name. It does so only for the first
// problems, because comparing takes time.
func (l *loader) suggest(name string, known []string) []string {
	if l.found > 5*maxLoadErrors {
		return nil
	}
	return wording.Nearest(name, known)
}

// items returns the entries of a list.
func (l *loader) items(n *yaml.Node, what string) []*yaml.Node {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		l.at(n, "%s must be a list, not %s", what, describe(n))
		return nil
	}
	return n.Content
}

// text returns a string. A scalar that some version of YAML does not read as a string
// is recorded as a problem, but returned as written: reading continues. ok is false if
// there is no usable value.
func (l *loader) text(n *yaml.Node, what string) (value string, ok bool) {
	if !l.usable(n, what) {
		return "", false
	}
	if n.Kind != yaml.ScalarNode {
		l.at(n, "%s must be a string, not %s", what, describe(n))
		return "", false
	}
	plain := n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0
	if n.ShortTag() != "!!str" || plain && oldBool(n.Value) {
		l.at(n, "%s must be a string, not %s; quote it: %q", what, describe(n), short(n.Value))
	}
	return n.Value, true
}

// oldBool reports whether a word is a boolean in YAML 1.1, which many tools still read,
// but a string in YAML 1.2.
func oldBool(word string) bool {
	switch strings.ToLower(word) {
	case "yes", "no", "on", "off":
		return true
	}
	return false
}

// describe returns the description of a usable node for messages.
func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	}
	kind := "string"
	switch n.ShortTag() {
	case "!!int", "!!float":
		kind = "number"
	case "!!bool":
		kind = "boolean"
	case "!!timestamp":
		kind = "date"
	case "!!str":
		if oldBool(n.Value) {
			kind = "boolean"
		}
	}
	return fmt.Sprintf("the %s %q", kind, short(n.Value))
}

// short shortens a long value for a message.
func short(value string) string {
	if len(value) <= 40 {
		return value
	}
	return strings.ToValidUTF8(value[:40], "") + "..."
}

// string reads an optional key with text.
func (l *loader) string(fs *fields, key string) string {
	n := fs.byKey[key]
	if n == nil {
		return ""
	}
	value, ok := l.text(n, key)
	fs.spoiled = fs.spoiled || !ok
	return value
}

// bool reads an optional key that is true or false.
func (l *loader) bool(fs *fields, key string) bool {
	n := fs.byKey[key]
	if n == nil {
		return false
	}
	if n.ShortTag() != "!!bool" {
		l.at(n, "%s must be true or false, without quotes, not %s", key, describe(n))
	}
	return strings.EqualFold(n.Value, "true")
}
