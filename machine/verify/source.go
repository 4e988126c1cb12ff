package verify

import (
	"bytes"
	"io"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/konveyor/dynamic-pipeline/phases"
)

// Source is a YAML file of itineraries, with the position of everything that it
// defines. It is immutable and safe for concurrent use.
type Source struct {
	name string
	text []byte
	file *phases.File
	root *yaml.Node
	// byName are the indices of the itineraries, and phases the nodes of the phases of
	// each.
	byName map[string]int
	phases [][]*yaml.Node
}

// Load reads a file of itineraries as [phases.Load] does, with the same errors, and
// keeps its text. The name stands for the file in positions and messages.
func Load(r io.Reader, name string) (*Source, error) {
	text, err := io.ReadAll(io.LimitReader(r, phases.MaxFileSize+1))
	again := io.Reader(bytes.NewReader(text))
	if err != nil {
		again = io.MultiReader(again, failing{err})
	}
	file, err := phases.Load(again, name)
	if err != nil {
		return nil, err
	}
	s := &Source{name: name, text: text, file: file, byName: map[string]int{}}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	s.root = document.Content[0]
	for i, n := range items(value(s.root, "itineraries")) {
		s.byName[file.Itineraries[i].Name] = i
		s.phases = append(s.phases, items(value(n, "phases")))
	}
	return s, nil
}

// failing is a reader that fails.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// Name returns the name that [Load] was given.
func (s *Source) Name() string { return s.name }

// Text returns the text of the file.
func (s *Source) Text() string { return string(s.text) }

// File returns the content of the file. It must not be changed.
func (s *Source) File() *phases.File { return s.file }

// value returns the value of a key of a mapping, or nil.
func value(mapping *yaml.Node, key string) *yaml.Node {
	if k := keyIndex(mapping, key); k >= 0 {
		return mapping.Content[k+1]
	}
	return nil
}

// keyIndex returns the index of a key in the content of a mapping, or -1.
func keyIndex(mapping *yaml.Node, key string) int {
	if mapping != nil {
		for k := 0; k+1 < len(mapping.Content); k += 2 {
			if mapping.Content[k].Value == key {
				return k
			}
		}
	}
	return -1
}

// items returns the entries of a list.
func items(list *yaml.Node) []*yaml.Node {
	if list == nil {
		return nil
	}
	return list.Content
}

// item returns an entry of a list, or nil.
func item(list *yaml.Node, i int) *yaml.Node {
	if all := items(list); i >= 0 && i < len(all) {
		return all[i]
	}
	return nil
}

// entry returns the entry of a list with that text, or nil.
func entry(list *yaml.Node, text string) *yaml.Node {
	return item(list, slices.IndexFunc(items(list), func(n *yaml.Node) bool { return n.Value == text }))
}

// top returns an entry of a top-level list of the file: a flag, a relation, an
// itinerary or a suppression. Like the methods below, it returns nil for a nil source.
func (s *Source) top(key string, i int) *yaml.Node {
	if s == nil {
		return nil
	}
	return item(value(s.root, key), i)
}

// itinerary returns the itinerary of that name.
func (s *Source) itinerary(name string) *yaml.Node {
	if s == nil {
		return nil
	}
	i, ok := s.byName[name]
	if !ok {
		return nil
	}
	return s.top("itineraries", i)
}

// phase returns the phase at an index of the itinerary of that name.
func (s *Source) phase(itinerary string, index int) *yaml.Node {
	if s == nil {
		return nil
	}
	i, ok := s.byName[itinerary]
	if !ok || index < 0 || index >= len(s.phases[i]) {
		return nil
	}
	return s.phases[i][index]
}

// Place returns the position of a phase in the file, under its present or a former
// name. If there is no such phase, it is the position of the itinerary; if there is no
// such itinerary, that of the list of itineraries.
func (s *Source) Place(itinerary, phase string) Place {
	p := Place{Itinerary: itinerary, Phase: phase}
	s.locate(&p, value(s.root, "itineraries"))
	s.locate(&p, s.itinerary(itinerary))
	if it, err := s.file.Itinerary(itinerary); err == nil {
		s.locate(&p, s.phase(itinerary, slices.IndexFunc(it.Phases, func(one phases.Phase) bool {
			return one.Name == phase || slices.Contains(one.Formerly, phase)
		})))
	}
	return p
}

// locate fills in the position of a node in the file.
func (s *Source) locate(p *Place, n *yaml.Node) {
	if s != nil && n != nil {
		p.File, p.Line, p.Column = s.name, n.Line, n.Column
	}
}
