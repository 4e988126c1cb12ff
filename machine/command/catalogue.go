package command

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/dump"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/machine/verify"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Catalogue describes what a command works on: the itineraries of one kind of object, and
// how its objects are read. Only Command and Itineraries are required.
//
// Each execution calls the functions of a catalogue from one goroutine at a time, so only
// concurrent calls of [Execute] can call them concurrently. A panic in Select or Sources is
// reported as an error of the run.
type Catalogue struct {
	// Command is the name that users type: "upgradectl", or "kubectl upgrade" for a plugin
	// of kubectl that is installed as kubectl-upgrade.
	Command string
	// Version is printed by --version. If empty, it is the version of the main module of
	// the program.
	Version string
	// Itineraries are all itineraries of the controller. Examples in help texts use the
	// first.
	Itineraries *machine.Set
	// Switches are drawn between the itineraries.
	Switches []dump.Switch

	// Kind is the kind of the objects that have runs, such as "Upgrade". An object of that
	// kind without a state is a run that has not begun. If Kind is empty, only objects that
	// hold a state are read.
	Kind string
	// Noun is the word for a run in messages, such as "upgrade". If empty, it is "run".
	Noun string
	// List is the kubectl command that lists the objects, for help and hints. If empty, it
	// is derived from Kind.
	List string

	// Select returns the name of the itinerary that an object selects, as the selector of
	// the controller does. Item is the item that the run belongs to, if the object has
	// many. [machine.Set.Resume] then decides whether the run is on that itinerary or on
	// the recorded one.
	//
	// If Select is nil, a run is on its recorded itinerary, or on the first one if it has
	// not begun.
	Select func(o *Object, item string) (string, error)
	// Sources returns the sources of the flags of a run. They are evaluated for a run that
	// has not begun, for --today, and for flags that the state does not know. All holds all
	// objects that were read. If Sources is nil, only the flags in the state are known.
	Sources func(o *Object, item string, all *Objects) (*phases.Sources, error)

	// KindOf returns the kind under which an object is known, and reports whether the
	// object counts. An apiVersion is empty if it is not known. If KindOf is nil, every
	// object that is of Kind or holds a state counts.
	KindOf func(apiVersion, kind string) (string, bool)
	// Read finds the runs of objects, for a catalogue whose objects hold more than states
	// of this project. If nil, it is [Tool.StateRuns].
	Read func(t *Tool, all *Objects) Reading
	// Options are added to the commands that read objects. See [Objects.Has].
	Options []Option
	// Texts replaces help texts, by the name of the command; "" is the command itself. An
	// empty field keeps the general text.
	Texts map[string]Text
	// Name is the name of the built-in release, which compat takes as NAME@current. If
	// empty, it is the last word of Command.
	Name string
	// Selected lists all names that the selector of the controller can return, and Runner
	// describes its handlers for verify ([verify.RunnerOf]). If one of them is not set,
	// verify skips the checks that need it.
	Selected []string
	Runner   *verify.Runner
	// Suppress accepts findings of verify that the authors want to keep.
	Suppress []phases.Suppression
	// StepNow returns the current name of a step of an earlier release. It is optional.
	StepNow func(name string) string
	// Own returns additional commands, new ones at each call. It is optional.
	Own func(t *Tool) []*cobra.Command
}

// Text is the help text of a command.
type Text struct {
	Short, Long, Example string
}

// Option is a boolean option that a catalogue adds to the commands that read objects.
type Option struct {
	// Name is its name without dashes, and Usage its description.
	Name, Usage string
	// Instead is the hint of the error if there are no objects, such as "with -i give
	// --flags". It is optional.
	Instead string
}

// catalogueError reports a catalogue from which no command can be made.
type catalogueError struct {
	// Problems lists what is missing or wrong, in the order of the fields.
	Problems []string
}

func (e *catalogueError) Error() string { return "catalogue: " + strings.Join(e.Problems, "; ") }

var (
	// commandWords matches a command of words that need no quotes in a shell.
	commandWords = regexp.MustCompile(`^[A-Za-z0-9_.][A-Za-z0-9_.-]*( [A-Za-z0-9_.][A-Za-z0-9_.-]*)*$`)
	kindName     = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*$`)
	releaseName  = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)
	optionName   = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
)

// check returns what is missing or wrong in the fields themselves. [app.root] finds
// collisions with the command's own names.
func (c *Catalogue) check() []string {
	var problems []string
	add := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	oneLine := func(field, text string) {
		if strings.TrimSpace(text) != text || strings.ContainsFunc(text, unprintable) {
			add("%s %q must be one line without spaces around it", field, text)
		}
	}
	switch {
	case c.Command == "":
		add(`Command is missing; give what users type, such as "upgradectl" or "kubectl upgrade"`)
	case !commandWords.MatchString(c.Command):
		add("Command %q cannot be typed in a shell; give words of letters, digits, _, . and -, with one space between them", c.Command)
	}
	oneLine("Version", c.Version)
	names := c.Itineraries.Names()
	if len(names) == 0 {
		add("Itineraries are missing; make them with machine.CompileSet")
	}
	for i, s := range c.Switches {
		for _, end := range []struct{ field, name string }{{"From", s.From}, {"To", s.To}} {
			if !slices.Contains(names, end.name) {
				add("Switches[%d].%s: there is no itinerary %q%s", i, end.field, end.name,
					wording.DidYouMean(wording.Nearest(end.name, names)))
			}
		}
	}
	for i, s := range c.Suppress {
		if err := s.Validate(); err != nil {
			add("Suppress[%d]: %v", i, err)
		}
	}
	if c.Name != "" && !releaseName.MatchString(c.Name) {
		add("Name %q is not the name of a release; give letters and digits, such as upgrade", c.Name)
	}
	switch {
	case c.Kind == "":
	case !kindName.MatchString(c.Kind):
		add("Kind %q is not the kind of an object; give letters and digits, such as Upgrade", c.Kind)
	case strings.HasSuffix(c.Kind, "List"):
		add("Kind %s is the kind of a list; give that of its items", c.Kind)
	}
	oneLine("Noun", c.Noun)
	oneLine("List", c.List)
	for i, o := range c.Options {
		switch {
		case !optionName.MatchString(o.Name):
			add(
				"Options[%d].Name %q is not the name of an option; give lower-case letters, digits and single -, without dashes before it",
				i, o.Name)
		case slices.ContainsFunc(c.Options[:i], func(other Option) bool { return other.Name == o.Name }):
			add("Options[%d].Name %q is used twice; rename one", i, o.Name)
		}
		if o.Usage == "" {
			add("Options[%d].Usage is missing; describe what --%s does", i, o.Name)
		}
		oneLine(fmt.Sprintf("Options[%d].Usage", i), o.Usage)
		oneLine(fmt.Sprintf("Options[%d].Instead", i), o.Instead)
	}
	return problems
}

// noun is the word for a run.
func (c *Catalogue) noun() string {
	if c.Noun == "" {
		return "run"
	}
	return c.Noun
}

// kind is the word for the objects.
func (c *Catalogue) kind() string {
	if c.Kind == "" {
		return "object that holds a state"
	}
	return c.Kind
}

// list returns the kubectl command that lists the objects.
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
	// Item is the item of the object that the run belongs to, if the object has many.
	Item string
	// Itinerary is the itinerary that the object selects. If that is not known, SelectErr
	// is the reason.
	Itinerary string
	SelectErr error
	// Recorded returns what the object records of the run.
	Recorded func() Recorded
	// Sources returns the sources of its flags. If Sources or its result is nil, only the
	// state knows them.
	Sources func() (*phases.Sources, error)
	// Missing is the error of a missing object. It explains all unknown flags. It is nil if
	// no object is missing.
	Missing error
	// kind is the kind of the object, if an object of another kind has the same name.
	kind string
}

// object names the object of the run, as KIND/NAME if objects of several kinds have that
// name.
func (r *Run) object() Ref {
	ref := r.Object.Ref
	if r.kind != "" {
		ref.Name = r.kind + "/" + ref.Name
	}
	return ref
}

// Recorded describes what an object records of a run.
type Recorded struct {
	// State is the state as a runner would read it. If it cannot be read, StateErr is the
	// reason.
	State    runner.State
	StateErr error
	// Was is the recorded name of the phase, if Phase is its current name.
	Was string
	// Itinerary and Phase are as recorded; the phase may have been renamed since. Started
	// lists the steps that have started, in order. Done reports whether the run is done.
	Itinerary, Phase string
	Started          []string
	Done             bool
	// Reasons are why the run failed. Set them only if a controller without this project
	// wrote the record; otherwise State has them.
	Reasons []string
	// Err is a problem with the record that does not prevent reading some of it.
	Err error
	// Own reports whether this project wrote the state. Only then do its facts count.
	Own bool
}

// Reading holds the runs that a catalogue finds in objects.
type Reading struct {
	// Runs are in the order in which they were read.
	Runs []*Run
	// Settled is called before the flags of a run are found, with the flags that --set
	// decides. It is optional.
	Settled func(flags phases.Flags)
	// Notes returns notes to print after all flags were found. It is optional.
	Notes func() []string
	// None is the error to report if no run was found. If nil, a general one is used.
	None error
}

// ref names the run in messages.
func (r *Run) ref() string {
	if r.Item == "" {
		return r.object().String()
	}
	return r.object().String() + "[" + r.Item + "]"
}

// name returns the name of the object, with the item if there is one.
func (r *Run) name() string {
	if r.Item == "" {
		return r.object().Name
	}
	return r.object().Name + "[" + r.Item + "]"
}

// runName names a run in JSON. With -i alone there is no run, and all fields are absent.
type runName struct {
	Name      *string `json:"name,omitempty"`
	Namespace *string `json:"namespace,omitempty"`
	Item      string  `json:"item,omitempty"`
}

// names returns the names of the run. The run may be nil.
func (r *Run) names() (n runName) {
	if r != nil {
		ref := r.object()
		n = runName{&ref.Name, &ref.Namespace, r.Item}
	}
	return n
}

// wrong returns err as a problem of the run.
func (r *Run) wrong(err error) error {
	if r.Item != "" {
		err = fmt.Errorf("item %s: %w", r.Item, err)
	}
	return r.Object.Wrong(err)
}
