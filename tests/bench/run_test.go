package bench

import (
	"testing"
	"time"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// bareRun is a whole run of one machine.
func bareRun(flags phases.Flags) func(tb testing.TB) subject {
	return func(tb testing.TB) subject {
		g, f, hops := graph(tb), facts(flags), 0
		return subject{
			func() error {
				m, err := g.NewMachine(machine.Position{}, f)
				if err != nil {
					return err
				}
				hops, err = toTheEnd(m, func(*machine.Machine) {})
				return err
			},
			func() any { return hops },
		}
	}
}

func masksRun(flags phases.Flags) func(tb testing.TB) subject {
	return func(tb testing.TB) subject {
		m, hops := newMasks(itinerary(tb)), 0
		return subject{
			func() error {
				hops = 0
				for state := 0; state < len(m)-1; hops++ {
					state = m.next(state, flags)
				}
				return nil
			},
			func() any { return hops },
		}
	}
}

// BenchmarkRun measures the hops of a whole run of Final.
func BenchmarkRun(b *testing.B) {
	for _, load := range loads {
		b.Run("flags="+load.name, func(b *testing.B) {
			compare(b, load.hops,
				contender{here, bareRun(load.flags)},
				contender{"looplab-shared", looplabRun(load.flags)},
				contender{"stateless-shared", statelessRun(load.flags)},
				contender{"cocoonspace-own", cocoonspaceRun(load.flags)},
				contender{"mig-controller", taskRun(load.flags)},
				contender{"forklift", forkliftRun(load.flags)},
				contender{"masks", masksRun(load.flags)},
			)
		})
	}
}

// pipelineRun is a whole run of one machine, with the plan and the pipeline after
// each hop.
func pipelineRun(flags phases.Flags) func(tb testing.TB) subject {
	return func(tb testing.TB) subject {
		g, f, hops := graph(tb), facts(flags), 0
		var p steps.Pipeline
		return subject{
			func() error {
				p = nil
				m, err := g.NewMachine(machine.Position{}, f)
				if err != nil {
					return err
				}
				at := now
				hops, err = toTheEnd(m, func(m *machine.Machine) {
					at = at.Add(time.Second)
					p = steps.Sync(p, steps.Snapshot{Plan: m.Plan()}, at)
				})
				return err
			},
			func() any {
				for _, s := range p {
					if s.Completed == nil {
						return s.Name + " is not completed"
					}
				}
				return hops
			},
		}
	}
}

// taskPipelineRun lists the steps again at each hop, as mig-controller would if it
// followed the enhancement.
func taskPipelineRun(flags phases.Flags) func(tb testing.TB) subject {
	return func(tb testing.TB) subject {
		t, hops := newTask(itinerary(tb), flags), 0
		var steps []string
		return subject{
			func() error {
				for t.phase, hops = "", 0; t.phase != lastPhase; hops++ {
					if err := t.next(); err != nil {
						return err
					}
					steps = t.pipeline()
				}
				return nil
			},
			func() any {
				if len(steps) == 0 {
					return "no steps"
				}
				return hops
			},
		}
	}
}

// BenchmarkPipelineRun measures a whole run of Final, with plan and pipeline at each
// hop.
func BenchmarkPipelineRun(b *testing.B) {
	for _, load := range loads {
		b.Run("flags="+load.name, func(b *testing.B) {
			compare(b, load.hops,
				contender{here, pipelineRun(load.flags)},
				contender{"mig-controller", taskPipelineRun(load.flags)},
			)
		})
	}
}
