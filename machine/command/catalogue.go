package command

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/dump"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Catalogue is what a command is about: the itineraries of one kind of object,
// and how its objects are read. Only Command and Itineraries are required.
type Catalogue struct {
	// Command is what users type: "upgradectl", or "kubectl upgrade" for a plugin
	// of kubectl that is installed as kubectl-upgrade.
	Command string
	// Version is what --version prints; if empty, the version of the main module of
	// the program.
	Version string
	// Itineraries are all itineraries of the controller. The first one stands for
	// all in examples.
	Itineraries *machine.Set
	// Switches are drawn between the itineraries.
	Switches []dump.Switch

	// Kind is the kind of the objects whose runs these are, such as "Upgrade". An
	// object of that kind without a state is a run that has not begun. If it is
	// empty, only objects that hold the state of a run are read.
	Kind string
	// Noun is what one run is called in messages, such as "migration". If empty, it
	// is "run".
	Noun string
	// List is the kubectl command that lists the objects, for help and hints. If
	// empty, it is made of Kind.
	List string

	// Select returns the name of the itinerary that an object selects, if it holds
	// no state that names one. If it is nil, that is the first itinerary.
	Select func(o *Object) (string, error)
	// Sources returns how the flags of an object are found: for a run that has not
	// begun, for --today, and for flags that the state does not know. All are all
	// objects that were read. If it is nil, only the flags in the state are known.
	Sources func(o *Object, all *Objects) (*phases.Sources, error)

	// KindOf returns the kind under which an object of that apiVersion and kind is
	// known, and false if the object is of no interest. If nil, every object that
	// is of Kind or holds the state of a run is of interest. An apiVersion that is
	// empty is not known.
	KindOf func(apiVersion, kind string) (string, bool)
	// Read finds the runs of objects, for a catalogue whose objects hold more
	// than states of this project. If nil, it is [Tool.StateRuns].
	Read func(t *Tool, all *Objects) Reading
	// Options are options of the catalogue's own for the commands that read
	// objects. See [Objects.Has].
	Options []Option
	// Texts take the place of help texts, by the name of the command; "" is the
	// command itself.
	Texts map[string]Text
	// StepNow returns the present name of a step of an earlier release. Optional.
	StepNow func(name string) string
	// Own returns commands of the catalogue's own. Optional.
	Own func(t *Tool) []*cobra.Command
}

// Text is the help of a command.
type Text struct {
	Short, Long, Example string
}

// Option is an option without a value that a catalogue adds to the commands that
// read objects.
type Option struct {
	// Name is its name without dashes, and Usage what it does.
	Name, Usage string
	// Instead is what to give if there are no objects, for the error of that.
	Instead string
}

// CatalogueError is a catalogue from which no command can be made.
type CatalogueError struct {
	Problems []string
}

func (e *CatalogueError) Error() string { return "catalogue: " + strings.Join(e.Problems, "; ") }

// check returns what is missing.
func (c *Catalogue) check() error {
	e := new(CatalogueError)
	if c.Command == "" {
		e.Problems = append(e.Problems, "Command is missing; give what users type")
	}
	if c.Itineraries == nil || len(c.Itineraries.Names()) == 0 {
		e.Problems = append(e.Problems, "Itineraries are missing; make them with machine.CompileSet")
	}
	if e.Problems != nil {
		return e
	}
	return nil
}

// noun is what one run is called.
func (c *Catalogue) noun() string {
	if c.Noun == "" {
		return "run"
	}
	return c.Noun
}

// kind is what the objects are called.
func (c *Catalogue) kind() string {
	if c.Kind == "" {
		return "object with a " + c.noun()
	}
	return c.Kind
}

// list is the kubectl command that lists the objects.
func (c *Catalogue) list() string {
	switch {
	case c.List != "":
		return c.List
	case c.Kind != "":
		return "kubectl get " + strings.ToLower(c.Kind) + " --all-namespaces -o yaml"
	}
	return "kubectl get KIND --all-namespaces -o yaml"
}

// Run is a run of an object, as it was read.
type Run struct {
	Object *Object
	// Item is the item of the object that the run is of, if the object has many.
	Item string
	// Itinerary is the itinerary that the object selects. SelectErr is why that
	// is not known.
	Itinerary string
	SelectErr error
	// Recorded returns what the object records of the run.
	Recorded func() Recorded
	// Sources returns how its flags are found now, or nil if only the state knows.
	Sources func() (*phases.Sources, error)
	// Missing is an object without which flags are unknown; it explains all of
	// them. It is nil if no object is missing.
	Missing error
}

// Recorded is what an object records of a run.
type Recorded struct {
	// State is what a runner would read. StateErr is why it cannot.
	State    runner.State
	StateErr error
	// Itinerary and Phase are as they are recorded, under the present name of the
	// phase. Started are the steps that have started, in their order, and Done
	// whether the run is done.
	Itinerary, Phase string
	Started          []string
	Done             bool
	// Err is what is wrong with the record, although some of it is understood.
	Err error
	// Own reports whether the state is one that this project wrote: its facts
	// count.
	Own bool
}

// Reading is what a catalogue finds in objects.
type Reading struct {
	// Runs are in the order in which they were read.
	Runs []*Run
	// Settled is called before the flags of a run are found, with those that --set
	// decides. Optional.
	Settled func(flags phases.Flags)
	// Notes returns what is to be noted once all flags were found. Optional.
	Notes func() []string
	// None is the error of streams without a run.
	None error
}

// ref is how messages call the run.
func (r *Run) ref() string {
	if r.Item == "" {
		return r.Object.Ref.String()
	}
	return r.Object.Ref.String() + "[" + r.Item + "]"
}

// name is the name of the object, and of the item if there is one.
func (r *Run) name() string {
	if r.Item == "" {
		return r.Object.Ref.Name
	}
	return r.Object.Ref.Name + "[" + r.Item + "]"
}

// wrong is a problem of the run.
func (r *Run) wrong(err error) error {
	if r.Item != "" {
		err = fmt.Errorf("item %s: %w", r.Item, err)
	}
	return r.Object.Wrong(err)
}
