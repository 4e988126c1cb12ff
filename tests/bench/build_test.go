package bench

import (
	"fmt"
	"slices"
	"testing"

	"github.com/looplab/fsm"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/dump"
	"github.com/konveyor/dynamic-pipeline/machine/verify"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// BenchmarkBuild builds the shared definition of Final and takes its first hop, since
// some contenders defer work until then.
func BenchmarkBuild(b *testing.B) {
	compare(b, hopTo,
		contender{here, func(tb testing.TB) subject {
			it, f := itinerary(tb), facts(busy)
			var tr machine.Transition
			return subject{
				func() error {
					g, err := machine.Compile(it)
					if err != nil {
						return err
					}
					tr, err = advance(g, f)
					return err
				},
				func() any { return tr.To.Phase },
			}
		}},
		contender{"looplab-each", looplabEach},
		contender{"stateless-each", statelessEach},
		contender{"cocoonspace-each", cocoonspaceEach},
		contender{"mig-controller", func(tb testing.TB) subject {
			it := itinerary(tb)
			var t *task
			return subject{
				func() error {
					t = newTask(it, busy)
					t.phase = hopFrom
					return t.next()
				},
				func() any { return t.phase },
			}
		}},
		contender{"masks", func(tb testing.TB) subject {
			d, to := newDefinition(tb, itinerary(tb)), 0
			it, from := itinerary(tb), d.index[hopFrom]
			return subject{
				func() error { to = newMasks(it).next(from, busy); return nil },
				func() any { return d.states[to] },
			}
		}},
	)
}

// checks are the operations on itineraries before they run. Each reports whether its
// result is the expected one.
var checks = []struct {
	name string
	do   func(itineraries []phases.Itinerary) (bool, error)
}{
	{"compile", func(itineraries []phases.Itinerary) (bool, error) {
		set, err := machine.CompileSet(itineraries...)
		return err == nil && len(set.Names()) == len(itineraries), err
	}},
	{"verify", func(itineraries []phases.Itinerary) (bool, error) {
		set, err := machine.CompileSet(itineraries...)
		if err != nil {
			return false, err
		}
		found := verify.Check(set, verify.Options{Suppressions: mtc.Suppressed()})
		return len(found) > 0 && len(verify.Failing(found, verify.Error)) == 0, nil
	}},
	// A moved phase makes Compat explore the states of both releases.
	{"compat", func(itineraries []phases.Itinerary) (bool, error) {
		changed := slices.Clone(itineraries)
		for i := range changed {
			p := slices.Clone(changed[i].Phases)
			last := len(p) - 2
			p[last], p[last-1] = p[last-1], p[last]
			changed[i].Phases = p
		}
		before, err := release("old", itineraries)
		if err != nil {
			return false, err
		}
		after, err := release("new", changed)
		if err != nil {
			return false, err
		}
		return len(verify.Compat(before, after, verify.CompatOptions{}).Breaks) > 0, nil
	}},
}

// release compiles a release.
func release(name string, itineraries []phases.Itinerary) (*verify.Release, error) {
	set, err := machine.CompileSet(itineraries...)
	if err != nil {
		return nil, err
	}
	return verify.ReleaseOf(name, set)
}

// BenchmarkCheck compiles, verifies and compares Final, and MTC's five itineraries.
func BenchmarkCheck(b *testing.B) {
	for _, c := range checks {
		for _, of := range []struct {
			name        string
			itineraries []phases.Itinerary
		}{{"Final", []phases.Itinerary{itinerary(b)}}, {"all-five", mtc.Itineraries()}} {
			b.Run(fmt.Sprintf("do=%s/of=%s", c.name, of.name), func(b *testing.B) {
				compare(b, true, contender{here, func(testing.TB) subject {
					var did bool
					return subject{
						func() (err error) { did, err = c.do(of.itineraries); return err },
						func() any { return did },
					}
				}})
			})
		}
	}
}

// dumps returns a subject that draws, and checks that the drawing is not trivial.
func dumps(draw func() (string, error)) subject {
	var text string
	return subject{
		func() (err error) { text, err = draw(); return err },
		func() any { return len(text) > 1000 },
	}
}

// BenchmarkDump draws Final.
func BenchmarkDump(b *testing.B) {
	ours := func(format func(d *dump.Drawing) (string, error)) func(tb testing.TB) subject {
		return func(tb testing.TB) subject {
			g := graph(tb)
			return dumps(func() (string, error) {
				d, err := dump.New(dump.Options{AllEdges: true}, dump.Itinerary{Graph: g})
				if err != nil {
					return "", err
				}
				return format(d)
			})
		}
	}
	theirs := func(format fsm.VisualizeType) func(tb testing.TB) subject {
		return func(tb testing.TB) subject {
			f := newLooplabShared(tb).fsm
			return dumps(func() (string, error) { return fsm.VisualizeWithType(f, format) })
		}
	}
	b.Run("as=dot", func(b *testing.B) {
		compare(b, true,
			contender{here, ours(func(d *dump.Drawing) (string, error) { return d.DOT(), nil })},
			contender{"looplab-shared", theirs(fsm.GRAPHVIZ)},
			contender{"stateless-own", func(tb testing.TB) subject {
				m := newStatelessDefinition(tb).newOwn(0)
				return dumps(func() (string, error) { return m.ToGraph(), nil })
			}},
		)
	})
	b.Run("as=mermaid", func(b *testing.B) {
		compare(b, true,
			contender{here, ours(func(d *dump.Drawing) (string, error) { return d.Mermaid(), nil })},
			contender{"looplab-shared", theirs(fsm.MermaidStateDiagram)},
		)
	})
}
